import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts } from '../test/support/accepts.ts'
import type { Scope } from '../test/support/scope.ts'
import { until } from '../test/support/until.ts'

/** What is started. */
export interface ProcessOptions {
  /**
   * The name of the file below `folder` for its output. A file, as in production: to read a pipe would take
   * time.
   */
  readonly name: string
  readonly folder: string
  readonly command: string
  readonly parameters: readonly string[]
  /** Its environment besides PATH and NODE_ENV=production. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it accepts connections when it is up: a port of 127.0.0.1, or the path of a Unix socket. */
  readonly listens: number | string
  /** The signal that ends it. */
  readonly signal: NodeJS.Signals
}

/**
 * Starts a program and waits until it accepts connections. Resolves with its process id.
 * @throws when it ends instead
 */
export async function startProcess(scope: Scope, options: ProcessOptions): Promise<number> {
  const file = join(options.folder, `${options.name}.log`)
  const output = openSync(file, 'w')
  const child = spawn(options.command, options.parameters, {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', output, output],
    // A process group of its own. Ctrl-C then reaches only the bench, which ends its parts in order.
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
