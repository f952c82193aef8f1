import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/** What `npm run demo` runs. */
export const demoProgram = fileURLToPath(new URL('../../tools/demo.mjs', import.meta.url))

export interface StartedDemo {
  readonly child: Child
  /** Where the page is, without a slash at its end. */
  readonly url: string
  /** The line of its output that begins so, without the word before a command. */
  lineOf(start: string): string
}

/** Starts the demo as `npm run demo` does, on ports of its own. Resolves when it has printed what to copy. */
export async function startDemo(
  scope: Scope,
  port?: number,
  options: { readonly detached?: boolean } = {},
): Promise<StartedDemo> {
  const env = { ...process.env, DEMO_PORT: String(port ?? (await findFreePort())) }
  const child = startChild(scope, process.execPath, [demoProgram], { env, ...options })
  await until('what to copy', () => child.output().includes('Ctrl-C ends everything'), 90_000).catch(
    (error) => {
      throw new Error(`${error}\n${child.output()}`)
    },
  )
  const lineOf = (start: string): string => {
    const lines = child.output().split('\n')
    const line = lines.find((one) => one.trimStart().startsWith(start))
    if (line === undefined) throw new Error(`no line "${start}" in\n${child.output()}`)
    return line.trim().replace(/^[a-z]+: +/, '')
  }
  const [, url = ''] = /(http:\/\/\S+)\/ in a browser/.exec(lineOf('Open ')) ?? []
  return { child, url, lineOf }
}

/** The URL of the operator's page that it prints. */
export function adminOf(output: string): string {
  const [, url] = /^The operator's view .*(http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(output) ?? []
  if (url === undefined) throw new Error(output)
  return url
}

/** Every port that it says it uses. */
export function portsOf(output: string): number[] {
  const [, ...named] = /^nginx (\d+) → alta-auth (\d+) → example backend (\d+)/m.exec(output) ?? []
  const ports = [...named, new URL(adminOf(output)).port].map(Number)
  if (ports.length !== 4) throw new Error(output)
  return ports
}
