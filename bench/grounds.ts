import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../test/support/free-port.ts'
import type { Scope } from '../test/support/scope.ts'
import { makeTemporaryFolder } from '../test/support/temporary-folder.ts'
import { CHANNELS, SEGMENTS } from './audience.ts'
import { startProcess } from './start-process.ts'

/** What is the same for all contenders. */
export interface Grounds {
  /** The folder for all files that are written. It is removed at the end. */
  readonly folder: string
  /** The document root. */
  readonly root: string
  readonly backend: { readonly port: number; readonly pid: number }
  /** Lines for the protected location of each site. */
  readonly location?: string
  /** Connections of each nginx worker. */
  readonly connections?: number
  /** Further settings of the gates. */
  readonly settings?: Readonly<Record<string, string>>
}

/** How they differ from those of the usual bench. */
export interface GroundsOptions extends Pick<Grounds, 'location' | 'connections' | 'settings'> {
  /** Milliseconds that an answer of the backend takes; 0 unless given. */
  readonly backendTime?: number
}

/** Bytes of each file. Small, so that authorization is measured, and not copying. */
const FILE_SIZE = 1024

/** Writes the files and starts the backend. */
export async function prepareGrounds(
  scope: Scope,
  { backendTime = 0, ...others }: GroundsOptions = {},
): Promise<Grounds> {
  const folder = makeTemporaryFolder(scope)
  const root = join(folder, 'www')
  for (let channel = 0; channel < CHANNELS; channel++) {
    const directory = join(root, 'live', `ch${channel}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'index.m3u8'), '#EXTM3U\n'.padEnd(FILE_SIZE, '#'))
    for (let segment = 0; segment < SEGMENTS; segment++)
      writeFileSync(join(directory, `seg${segment}.ts`), Buffer.alloc(FILE_SIZE, 0x47))
  }
  return { folder, root, backend: await startBackend(scope, folder, backendTime), ...others }
}

/**
 * Starts the bench's backend in a process of its own.
 * @param isLimited it names a user for each token, who may play once
 */
export async function startBackend(
  scope: Scope,
  folder: string,
  time: number,
  isLimited = false,
): Promise<Grounds['backend']> {
  const port = await findFreePort()
  const program = fileURLToPath(new URL('./backend.mjs', import.meta.url))
  const pid = await startProcess(scope, {
    name: isLimited ? 'backend-limited' : 'backend',
    folder,
    command: process.execPath,
    parameters: [program, String(port), String(time), ...(isLimited ? ['limited'] : [])],
    listens: port,
    signal: 'SIGKILL',
  })
  return { port, pid }
}
