import { join } from 'node:path'
import { type AdminAnswer, askAdmin } from './admin-gate.ts'
import { askGate, type GateAnswer, type GateQuestion } from './ask-gate.ts'
import { findFreePort } from './free-port.ts'
import { type Main, startMain } from './main-process.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** The built program with a store, in one process after another. */
export interface KeptGate {
  readonly main: Main
  readonly adminPort: number
  /** The settings of its processes. */
  readonly environment: Readonly<Record<string, string>>
  ask(question: GateQuestion): Promise<GateAnswer>
  /** `'DELETE /sessions?user=7'` at the admin listener. */
  admin(what: string): Promise<AdminAnswer>
  /** Ends the process by this signal. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts another one with the same settings. Resolves when it listens. */
  start(): Promise<void>
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export async function startKeptGate(
  scope: Scope,
  settings: Readonly<Record<string, string>>,
): Promise<KeptGate> {
  const [port, adminPort] = [await findFreePort(), await findFreePort()]
  const environment = {
    LISTEN: `127.0.0.1:${port}`,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    STATE_URL: `file:${join(makeTemporaryFolder(scope), 'state')}`,
    ...settings,
  }
  let main = startMain(scope, environment)
  await main.listening()
  const gate: KeptGate = {
    get main() {
      return main
    },
    adminPort,
    environment,
    ask: (question) => askGate(port, question),
    admin: (what) => askAdmin({ port: adminPort }, what),
    async end(signal) {
      main.signal(signal)
      await main.exited
    },
    async start() {
      main = startMain(scope, environment)
      await main.listening()
    },
    async restart(signal) {
      await gate.end(signal)
      await gate.start()
    },
  }
  return gate
}
