import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Action } from './page-server.ts'
import type { Processes } from './processes.ts'
import { untilListening } from './until-listening.ts'

/** How the gate is started. */
export interface DemoGateOptions {
  readonly processes: Processes
  /** The repository's folder. */
  readonly root: string
  /** The working folder of the gate. It holds no .env of another installation. */
  readonly folder: string
  readonly backendPort: number
  readonly port: number
  readonly adminPort: number
}

/** The gate of the demo. */
export interface DemoGate {
  /** Starts the gate with this default action. A running gate is ended before. */
  start(defaultAction: Action): Promise<void>
}

/**
 * Runs the built alta-auth as a process of its own. DEFAULT_ACTION is a setting, so a change of it needs a
 * new process.
 */
export function createDemoGate(options: DemoGateOptions): DemoGate {
  const { processes, root, folder, backendPort, port, adminPort } = options
  let running: ChildProcess | undefined
  return {
    async start(defaultAction) {
      if (running !== undefined) await processes.stop(running)
      running = processes.start({
        name: 'alta-auth',
        command: process.execPath,
        parameters: [join(root, 'dist', 'main.js')],
        cwd: folder,
        env: {
          // Short, so that an outage soon shows in the decisions about a viewer who plays.
          ALLOW_TTL: '10s',
          ...process.env,
          BACKEND_URL: `http://127.0.0.1:${backendPort}/auth`,
          LISTEN: `127.0.0.1:${port}`,
          ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
          DEFAULT_ACTION: defaultAction,
          LOG_FORMAT: 'pretty',
        },
      })
      await untilListening('alta-auth', port)
    },
  }
}
