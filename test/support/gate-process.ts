import { findFreePort } from './free-port.ts'
import { type Main, startMain } from './main-process.ts'
import type { Scope } from './scope.ts'

export interface GateProcess {
  readonly port: number
  readonly main: Main
}

/**
 * Starts the built program with exactly this environment, and a gate on a port of its own. Resolves when it
 * listens.
 */
export async function startGateProcess(
  scope: Scope,
  environment: Readonly<Record<string, string>>,
): Promise<GateProcess> {
  const port = await findFreePort()
  const main = startMain(scope, { LISTEN: `127.0.0.1:${port}`, ADMIN_LISTEN: 'off', ...environment })
  await main.listening()
  return { port, main }
}
