import type { IncomingHttpHeaders } from 'node:http'
import { readAddress } from '../address.ts'
import type { Subrequest } from '../subrequest.ts'

/** Why a subrequest was refused before anybody was asked: one sentence for the log. */
export interface Refusal {
  readonly refused: string
}

/** PHP registers 1,000 parameters and silently drops the rest, the operator's own (sent last) among them. */
const MAX_PARAMETERS = 500
/** Sizes in bytes, after encoding. The question stays below the 16 KiB that Node-based backends accept as a whole. */
const MAX_QUERY = 8192
const MAX_PATH = 4096
const MAX_USER_AGENT = 2048
const MAX_PLAYBACK_ID = 256

const requestIdShape = /^[A-Za-z0-9-]{1,64}$/
const controlBytes = /[\x00-\x1f\x7f]/
const originShape = /^https?:\/\/(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/**
 * Reads what the shipped nginx snippet sends (`nginx/alta-auth/server.conf`). Node gives header values as latin-1, one character a
 * byte, which is what the encoders expect.
 */
export function readSubrequest(headers: IncomingHttpHeaders): Subrequest | Refusal {
  const address = readAddress(text(headers['x-original-ip']))
  if (address === undefined) return refuse('X-Original-Ip is not an IP address')

  const origin = text(headers['x-original-origin'])
  if (origin.length > 300 || !originShape.test(origin)) return refuse('the client sent no usable Host')

  const rawPath = text(headers['x-original-path'])
  // The snippet ends the path with a bar: a header value loses its trailing spaces in transport, a path must not.
  if (!rawPath.startsWith('/') || !rawPath.endsWith('|')) return refuse('X-Original-Path is missing')
  if (controlBytes.test(rawPath)) return refuse('control bytes in the path')
  const path = encodePath(rawPath.slice(0, -1))
  if (path.length > MAX_PATH) return refuse(`the path is longer than ${MAX_PATH} bytes`)

  const uri = text(headers['x-original-uri'])
  if (uri === '') return refuse('X-Original-Uri is missing')
  if (controlBytes.test(uri)) return refuse('control bytes in the URI')
  const query = encodeNonAscii(queryOf(uri))
  if (query.includes(' ')) return refuse('a space in the URI')
  if (query.length > MAX_QUERY) return refuse(`the query is longer than ${MAX_QUERY} bytes`)
  if (countParameters(query) > MAX_PARAMETERS) return refuse(`more than ${MAX_PARAMETERS} parameters`)

  const userAgent = encodeNonAscii(text(headers['x-original-ua']))
  if (userAgent.length > MAX_USER_AGENT)
    return refuse(`the User-Agent is longer than ${MAX_USER_AGENT} bytes`)

  const playbackId = encodeNonAscii(text(headers['x-original-playback-id']))
  if (playbackId.length > MAX_PLAYBACK_ID) {
    return refuse(`X-Playback-Session-Id is longer than ${MAX_PLAYBACK_ID} bytes`)
  }

  const requestId = readRequestId(headers)
  if (requestId === undefined) return { address, origin, path, query, userAgent, playbackId }
  // Written out once more: spreading the other and adding one made a hit a third dearer (Node 20).
  return { address, origin, path, query, userAgent, playbackId, requestId }
}

/** What finds the line of nginx's access log again; anything of another shape is left out. */
export function readRequestId(headers: IncomingHttpHeaders): string | undefined {
  const sent = text(headers['x-original-request-id'])
  return requestIdShape.test(sent) ? sent : undefined
}

function refuse(refused: string): Refusal {
  return { refused }
}

function text(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** nginx cuts a `#` and what follows before it looks for the `?`; an absolute-form `GET http://host?a=1` has no slash at all. */
function queryOf(uri: string): string {
  const hash = uri.indexOf('#')
  const sent = hash === -1 ? uri : uri.slice(0, hash)
  const mark = sent.indexOf('?')
  return mark === -1 ? '' : sent.slice(mark + 1)
}

function countParameters(query: string): number {
  let count = query === '' ? 0 : 1
  for (let at = query.indexOf('&'); at !== -1; at = query.indexOf('&', at + 1)) count++
  return count
}

/** Characters that RFC 3986 allows in a path as they are; `%` is not among them, so the encoding can be undone. */
const nothingButPath = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const notPath = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g

const nothingButAscii = /^[\x20-\x7e]*$/
const notAscii = /[^\x20-\x7e]/g

/** Encodes decoded path bytes (a latin-1 string, one character a byte) so that decoding gives the same bytes. */
export function encodePath(bytes: string): string {
  return nothingButPath.test(bytes) ? bytes : bytes.replace(notPath, percent)
}

/** Encodes only what a conservative HTTP request may not hold (a latin-1 string, one character a byte). */
export function encodeNonAscii(bytes: string): string {
  return nothingButAscii.test(bytes) ? bytes : bytes.replace(notAscii, percent)
}

/** Looked up, so that a client's 8 KB of such bytes cost no more than a question does. */
const percentOf = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
)

function percent(character: string): string {
  return percentOf[character.charCodeAt(0)] ?? ''
}
