import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Scope } from './scope.ts'

export interface Child {
  readonly process: ChildProcess
  /** Everything it printed so far, both streams. */
  output(): string
  /** Ends it and waits; SIGKILL when the signal does not end it within 5 s. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>
}

/** Starts a program in a process of its own. It ends with the scope. */
export function startChild(
  scope: Scope,
  command: string,
  parameters: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv
    readonly cwd?: string
    /** In a process group of its own, as a terminal has one for each command. */
    readonly detached?: boolean
  } = {},
): Child {
  const child = spawn(command, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT')
      child.kill(signal)
      const killer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(killer)
    }
    return exited
  }
  scope.after(async () => void (await stop()))
  return { process: child, output: () => output, stop, exited }
}
