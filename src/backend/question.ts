import { phpNameOf, piecesOf } from '../query.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Endpoint } from './endpoint.ts'

/** One question as it goes on the wire. */
export interface Question {
  /** Path and query, ready for the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Puts the question as Cesbo's documentation has it: all the client's parameters appended to the backend URL byte for byte and in
 * order, and the five headers. The operator's own parameters go last and cannot be overridden.
 */
export function createQuestion(endpoint: Endpoint, subrequest: Subrequest, sessionId: string): Question {
  const headers: Record<string, string> = {
    Host: endpoint.authority,
    Accept: '*/*',
    'X-Session-Id': sessionId,
    'X-Real-Ip': subrequest.address,
    'X-Real-Path': subrequest.path,
    'X-Real-Origin': subrequest.origin,
    'X-Real-Ua': subrequest.userAgent,
  }
  if (endpoint.authorization !== undefined) headers['Authorization'] = endpoint.authorization
  return { target: targetOf(endpoint, subrequest.query), headers }
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
