import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a program may take to end by itself, in milliseconds. */
const PATIENCE = 4_000

export interface ProcessStart {
  readonly name: string
  readonly command: string
  readonly parameters: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd: string
}

export interface Processes {
  /** Starts a program whose output goes to this terminal. */
  start(what: ProcessStart): ChildProcess
  /** Ends it and waits until it is gone. */
  stop(child: ChildProcess): Promise<void>
  stopAll(): Promise<void>
}

/** Programs that run as long as the demo does; `onLost` is told, in a sentence, of one that did not start or ended by itself. */
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
      // A group of its own: Ctrl-C goes to the demo alone, which ends its parts in order.
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
