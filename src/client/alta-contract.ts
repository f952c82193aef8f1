import { phpNameOf, piecesOf, type Subrequest } from '../subrequest.ts'
import type { Grant } from '../verdict.ts'
import { type HttpRequest, headerOf, type Reply } from './client.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * One question as Alta asks it. Public source: Cesbo's documentation of Alta, "HTTP authorization backend"
 * (https://help.cesbo.com/alta/ott-settings/authorization/http-backend). The client's parameters are appended
 * to the backend URL byte for byte and in order, and five headers describe the request. The operator's own
 * parameters go last and cannot be overridden.
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

/** Session id and User-Agent of the control question, so that backend logs and ban rules can recognise it. */
export const CONTROL_NAME = 'alta-auth-control'

/**
 * The control question. It holds nothing of a client, so a failure is the backend's own. It names no client
 * address and no origin.
 */
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

/**
 * What an allow brings along. `X-AuthDuration`, `X-UserId`, `X-Max-Sessions` and `X-Unique` are names of
 * Flussonic and Ministra,
 * `X-Session-Name` is Astra's.
 */
export function readGrant(reply: Reply): Grant {
  const authDuration = headerOf(reply, 'x-authduration')
  const userId = headerOf(reply, 'x-userid') ?? headerOf(reply, 'x-session-name')
  const maxSessions = headerOf(reply, 'x-max-sessions')
  const unique = headerOf(reply, 'x-unique')
  return {
    ...(authDuration === undefined ? {} : { authDuration }),
    ...(userId === undefined ? {} : { userId: headerValue(userId) }),
    ...(maxSessions === undefined ? {} : { maxSessions: headerValue(maxSessions) }),
    ...(unique === undefined ? {} : { unique: headerValue(unique) }),
  }
}

/**
 * At most 128 printable ASCII bytes. A header that nginx cannot accept would count as a failure of the gate.
 */
function headerValue(text: string): string {
  return text.slice(0, 128).replace(/[^\x21-\x7e]/g, '_')
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
