import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Asked, type Backend, startBackend } from './backend.ts'
import { type Gate, startGate } from './gate.ts'
import { type Nginx, type NginxOptions, startNginx } from './nginx.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface SiteOptions {
  /** What follows the backend's host in BACKEND_URL. */
  readonly backendPath?: string
  /** Further settings of the gate. */
  readonly environment?: Environment
  /** The options of nginx, except the gate's address. */
  readonly nginx?: Omit<NginxOptions, 'gates'>
}

/** A whole installation: nginx with the shipped files, the gate, and a backend that records its questions. */
export interface Site {
  readonly backend: Backend
  readonly gate: Gate
  readonly nginx: Nginx
}

/** Starts backend, gate and nginx, in this order. */
export async function startSite(scope: Scope, options: SiteOptions = {}): Promise<Site> {
  const backend = await startBackend(scope)
  const gate = await startGate(scope, {
    BACKEND_URL: `${backend.url}${options.backendPath ?? '/auth'}`,
    ...options.environment,
  })
  const nginx = await startNginx(scope, { gates: [gate.address], ...options.nginx })
  return { backend, gate, nginx }
}

/** What the backend is asked while `act` runs. */
export async function questionsDuring(backend: Backend, act: () => Promise<unknown>): Promise<Asked[]> {
  const before = backend.asked.length
  await act()
  return backend.asked.slice(before)
}

let viewers = 0

/** A User-Agent that no other request of this process has: an unknown viewer. */
export function newViewer(): string {
  viewers++
  return `viewer-${viewers}`
}

/**
 * The line of nginx's access log about this viewer's first request. nginx may write it a moment after its
 * answer.
 */
export async function accessLineOf(nginx: Nginx, viewer: string): Promise<string> {
  const find = (): string | undefined => nginx.accessLog().find((line) => line.endsWith(` "${viewer}"`))
  await until(`the access log to name ${viewer}`, () => find() !== undefined)
  return find() ?? ''
}

/**
 * Files below a document root whose names are exactly these bytes (latin-1, one character for each byte).
 * Each file holds its own name.
 */
export function writeNamedFiles(root: string, files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(Buffer.from(dirname(`${root}${file}`), 'latin1'), { recursive: true })
    writeFileSync(Buffer.from(`${root}${file}`, 'latin1'), file, 'latin1')
  }
}
