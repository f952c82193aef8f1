import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../src/config/read-settings.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

export const mainFile = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** How long a start may take on a busy machine, with many of them at once; milliseconds. */
const START = 30_000

export interface MainOptions {
  /** Where `.env` would be read from; an empty folder unless given. */
  readonly cwd?: string
  /** What is run; `node dist/main.js` unless given. */
  readonly command?: readonly [program: string, ...parameters: string[]]
  /** A descriptor of this process that becomes descriptor 3 of the other, as systemd passes sockets. */
  readonly inherit?: number
}

export interface Main {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Resolves with the exit code when it has ended; null when a signal ended it. */
  readonly exited: Promise<number | null>
  signal(signal: NodeJS.Signals): void
  /**
   * Resolves when it has said `times` times, since its start, that it listens.
   * @throws when it ends before
   */
  listening(times?: number): Promise<void>
}

/**
 * Starts the program as an operator does, in a process of its own. It gets only `environment`, besides PATH.
 */
export function startMain(scope: Scope, environment: Environment, options: MainOptions = {}): Main {
  const [program, ...parameters] = options.command ?? [process.execPath, mainFile]
  const child = spawn(program, parameters, {
    cwd: options.cwd ?? makeTemporaryFolder(scope),
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe', options.inherit ?? 'ignore'],
    // A shell gets a process group, so that the programs it has started end with it.
    detached: options.command !== undefined,
  })
  const pid = child.pid ?? 0
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  let ended = false
  const exited = once(child, 'close').then(([code]) => {
    ended = true
    return code as number | null
  })
  scope.after(async () => {
    if (!ended) process.kill(options.command === undefined ? pid : -pid, 'SIGKILL')
    await exited
  })
  return {
    pid,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    exited,
    signal: (signal) => void process.kill(pid, signal),
    listening: (times = 1) =>
      until(
        'the gate to listen',
        () => {
          if (ended) throw new Error(`it ended instead:\n${printed.stderr}${printed.stdout}`)
          return printed.stdout.split('"message":"listening"').length > times
        },
        START,
      ),
  }
}
