import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../test/support/accepts.ts'
import type { Scope } from '../test/support/scope.ts'
import { until } from '../test/support/until.ts'

export interface ProcessOptions {
  /** Names the file below `folder` that gets what it prints: a file, as in production, so that nobody spends time on reading it. */
  readonly name: string
  readonly folder: string
  readonly command: string
  readonly parameters: readonly string[]
  /** All the environment it gets, besides PATH and NODE_ENV=production. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it accepts connections once it is up: a port of 127.0.0.1 or the path of a Unix socket. */
  readonly listens: number | string
  /** What ends it. */
  readonly signal: NodeJS.Signals
}

/** Starts a program and waits until it accepts connections; resolves with its process id. @throws when it ends instead. */
export async function startProcess(scope: Scope, options: ProcessOptions): Promise<number> {
  const file = join(options.folder, `${options.name}.log`)
  const output = openSync(file, 'w')
  const child = spawn(options.command, options.parameters, {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', output, output],
    // A group of its own: Ctrl-C goes to the bench alone, which ends its parts in order.
    detached: true,
  })
  closeSync(output)
  let ended = false
  const exited = once(child, 'exit')
    .catch(() => {})
    .then(() => {
      ended = true
    })
  scope.after(async () => {
    if (!ended) child.kill(options.signal)
    await exited
  })
  await until(`${options.name} to listen`, async () => {
    if (ended) throw new Error(`${options.name} ended instead of listening:\n${readFileSync(file, 'utf8')}`)
    return await accepts(options.listens)
  })
  return child.pid ?? 0
}
