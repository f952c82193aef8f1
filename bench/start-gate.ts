import { fileURLToPath } from 'node:url'
import type { Scope } from '../test/support/scope.ts'
import { startProcess } from './start-process.ts'

/** The built program. */
export const gateProgram = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** How the gate is started. */
export interface GateOptions {
  readonly name: string
  readonly folder: string
  /** The backend's port. */
  readonly backend: number
  /** A port of 127.0.0.1, or the path of a Unix socket. */
  readonly listens: number | string
  readonly env?: Readonly<Record<string, string>>
  /** `dist/main.js` of another checkout; of this one unless given. */
  readonly program?: string
}

/** The settings of a gate for the bench, as environment variables. */
export function gateEnvironment({ backend, listens, env }: GateOptions): Record<string, string> {
  return {
    BACKEND_URL: `http://127.0.0.1:${backend}/auth`,
    LISTEN: typeof listens === 'string' ? `unix:${listens}` : `127.0.0.1:${listens}`,
    ADMIN_LISTEN: 'off',
    LOG_LEVEL: 'info',
    ...env,
  }
}

/** Starts the built program as an operator does. Resolves with its process id. */
export function startGate(scope: Scope, options: GateOptions): Promise<number> {
  return startProcess(scope, {
    name: options.name,
    folder: options.folder,
    command: process.execPath,
    parameters: [options.program ?? gateProgram],
    env: gateEnvironment(options),
    listens: options.listens,
    signal: 'SIGKILL',
  })
}
