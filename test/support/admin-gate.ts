import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Gate, startGate } from './gate.ts'
import type { GetFrom } from './http-get.ts'
import type { Scope } from './scope.ts'

export interface AdminAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
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
  const address = gate.service.adminServer?.address() as AddressInfo | null | undefined
  const adminPort = address?.port ?? 0
  return { gate, adminPort, admin: (what, headers) => askAdmin({ port: adminPort }, what, headers) }
}

/** `'DELETE /sessions?user=7'` on a connection of its own. */
export function askAdmin(
  from: GetFrom,
  what: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<AdminAnswer> {
  const [method = '', path = ''] = what.split(' ')
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', agent: false, ...from, method, path, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response
        resolve({
          status,
          headers: answered,
          body,
          get json() {
            return JSON.parse(body) as unknown
          },
        })
      })
    })
      .on('error', reject)
      .end()
  })
}

/** The sentence of an answer that is no success. */
export function errorOf({ json }: AdminAnswer): string {
  return (json as { error: string }).error
}
