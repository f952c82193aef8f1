import { phpNameOf, piecesOf, type Subrequest } from '../subrequest.ts'
import type { HttpRequest } from './client.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * The question as Cesbo's documentation has it (Alta, "HTTP authorization backend"): all the client's parameters appended to the
 * backend URL byte for byte and in order, and the five headers. The operator's own parameters go last and cannot be overridden.
 */
export function createRequest(endpoint: Endpoint, subrequest: Subrequest, sessionId: string): HttpRequest {
  return {
    method: 'GET',
    target: targetOf(endpoint, subrequest.query),
    headers: {
      Host: endpoint.authority,
      Accept: '*/*',
      'X-Session-Id': sessionId,
      'X-Real-Ip': subrequest.address,
      'X-Real-Path': subrequest.path,
      'X-Real-Origin': subrequest.origin,
      'X-Real-Ua': subrequest.userAgent,
      ...authorizationOf(endpoint),
    },
  }
}

/** What the control question calls itself, as session id and as User-Agent: for the backend's logs, and for bans to leave out. */
export const CONTROL_NAME = 'alta-auth-control'

/** The control question: nothing of a client's, so that whatever fails at it is the backend. It names no address and no host. */
export function createControlRequest(endpoint: Endpoint): HttpRequest {
  return {
    method: 'GET',
    target: targetOf(endpoint, ''),
    headers: {
      Host: endpoint.authority,
      Accept: '*/*',
      'X-Session-Id': CONTROL_NAME,
      'X-Real-Path': '/',
      'X-Real-Ua': CONTROL_NAME,
      ...authorizationOf(endpoint),
    },
  }
}

function authorizationOf({ authorization }: Endpoint): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { Authorization: authorization }
}

function targetOf(endpoint: Endpoint, clientQuery: string): string {
  const client = endpoint.ownNames.size === 0 ? clientQuery : withoutNames(clientQuery, endpoint.ownNames)
  const query =
    client === '' || endpoint.query === '' ? client + endpoint.query : `${client}&${endpoint.query}`
  return query === '' ? endpoint.path : `${endpoint.path}?${query}`
}

function withoutNames(query: string, names: ReadonlySet<string>): string {
  return piecesOf(query)
    .filter((piece) => !names.has(phpNameOf(piece)))
    .join('&')
}
