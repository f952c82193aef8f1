import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds that a program may take to end by itself. */
const PATIENCE = 4_000

/** A program, and how it is started. */
export interface ProcessStart {
  readonly name: string
  readonly command: string
  readonly parameters: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd: string
}

/** The programs of the demo. */
export interface Processes {
  /** Starts a program. Its output goes to this terminal. */
  start(what: ProcessStart): ChildProcess
  /** Ends the program and waits until it is gone. */
  stop(child: ChildProcess): Promise<void>
  stopAll(): Promise<void>
}

/**
 * Programs that run as long as the demo does. `onLost` is called with a sentence about a program that did not
 * start or ended by itself.
 */
export function createProcesses(onLost: (sentence: string) => void): Processes {
  const running = new Set<ChildProcess>()

  const stop = async (child: ChildProcess): Promise<void> => {
    if (!running.delete(child)) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await Promise.race([gone, delay(PATIENCE, undefined, { ref: false })])
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await gone
  }
  return {
    start({ name, command, parameters, env = process.env, cwd }) {
      // A process group of its own. Ctrl-C then reaches only the demo, which ends its parts in order.
      const stdio = ['ignore', 'inherit', 'inherit'] as const
      const child = spawn(command, parameters, { env, cwd, stdio: [...stdio], detached: true })
      running.add(child)
      child.on('error', (error) => {
        if (running.delete(child)) onLost(`${name} could not be started: ${error.message}`)
      })
      child.on('exit', (code) => {
        if (running.delete(child)) onLost(`${name} ended by itself (code ${code}): see above`)
      })
      return child
    },
    stop,
    stopAll: async () => {
      await Promise.all([...running].map(stop))
    },
  }
}
