import type { Environment } from '../../src/config/read-settings.ts'
import { type Gate, startGate } from './gate.ts'
import { type GetAnswer, type GetFrom, send } from './http-get.ts'
import type { Scope } from './scope.ts'

export interface AdminAnswer extends GetAnswer {
  /** The body, read as JSON. @throws {SyntaxError} */
  readonly json: unknown
}

export interface AdminGate {
  readonly gate: Gate
  readonly adminPort: number
  /** `'GET /sessions?limit=1'`, asked at the admin listener. */
  admin(what: string, headers?: Readonly<Record<string, string>>): Promise<AdminAnswer>
}

/** A gate with its admin listener on a port of its own. */
export async function startAdminGate(scope: Scope, environment: Environment): Promise<AdminGate> {
  const gate = await startGate(scope, { ADMIN_LISTEN: '127.0.0.1:0', ...environment })
  const { adminPort } = gate
  return { gate, adminPort, admin: (what, headers) => askAdmin({ port: adminPort }, what, headers) }
}

/** `'DELETE /sessions?user=7'` on a connection of its own. */
export async function askAdmin(
  from: GetFrom,
  what: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<AdminAnswer> {
  const [method = '', path = ''] = what.split(' ')
  const answer = await send(from, method, path, headers)
  return {
    ...answer,
    get json() {
      return JSON.parse(answer.body) as unknown
    },
  }
}

/** The sentence of an answer that is no success. */
export function errorOf({ json }: AdminAnswer): string {
  return (json as { error: string }).error
}
