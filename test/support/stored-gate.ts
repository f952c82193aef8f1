import { join } from 'node:path'
import { type AdminAnswer, askAdmin } from './admin-gate.ts'
import { askGate, type GateAnswer, type GateQuestion } from './ask-gate.ts'
import { findFreePort } from './free-port.ts'
import { type Gate, startGate } from './gate.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** The service in this process with a store in a folder, one after another. `kill -9` needs `KeptGate`. */
export interface StoredGate {
  /** Of the present one. */
  readonly gate: Gate
  readonly adminPort: number
  ask(question: GateQuestion): Promise<GateAnswer>
  /** `'DELETE /sessions?user=7'` at the admin listener. */
  admin(what: string): Promise<AdminAnswer>
  /** Ends it as SIGTERM does. */
  end(): Promise<void>
  /** Ends it, and starts another one with the same settings. */
  restart(): Promise<void>
}

export async function startStoredGate(
  scope: Scope,
  settings: Readonly<Record<string, string>>,
): Promise<StoredGate> {
  const [port, adminPort] = [await findFreePort(), await findFreePort()]
  const environment = {
    LISTEN: `127.0.0.1:${port}`,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    STATE_URL: `file:${join(makeTemporaryFolder(scope), 'state')}`,
    // A busy machine is no slow store: the backend would be asked beside it.
    STATE_TIMEOUT: '1s',
    ...settings,
  }
  let gate = await startGate(scope, environment)
  return {
    get gate() {
      return gate
    },
    adminPort,
    ask: (question) => askGate(port, question),
    admin: (what) => askAdmin({ port: adminPort }, what),
    end: () => gate.service.stop(),
    async restart() {
      await gate.service.stop()
      gate = await startGate(scope, environment)
    },
  }
}
