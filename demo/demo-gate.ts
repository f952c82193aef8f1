import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Action } from './page-server.ts'
import type { Processes } from './processes.ts'
import { untilListening } from './until-listening.ts'

export interface DemoGateOptions {
  readonly processes: Processes
  /** Of the repository. */
  readonly root: string
  /** Where the gate runs: no .env of somebody's own installation is found there. */
  readonly folder: string
  readonly backendPort: number
  readonly port: number
  readonly adminPort: number
}

export interface DemoGate {
  /** Starts it with this default action, after ending the one that runs. */
  start(defaultAction: Action): Promise<void>
}

/** The built alta-auth as a process of its own; DEFAULT_ACTION is a setting, so another one takes another process. */
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
          // Soon enough that an outage shows in the decisions about a viewer who plays.
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
