import type { IncomingHttpHeaders } from 'node:http'
import { readAddress } from '../address.ts'
import { cookieKeyOf, isSecret, SLOTS } from '../session/session-cookie.ts'
import { type CookieMode, cookieModes, type Subrequest } from '../subrequest.ts'

/** A subrequest that is refused without asking a backend. */
export interface Refusal {
  /** Why: a clause for the log. */
  readonly refused: string
}

/**
 * PHP drops parameters after the 1,000th without notice. The operator's own, sent last, must not be among
 * these.
 */
const MAX_PARAMETERS = 500
/** Bytes, after encoding. All together stay below the 16 KiB of headers that Node-based backends accept. */
const MAX_QUERY = 8192
const MAX_PATH = 4096
const MAX_USER_AGENT = 2048
const MAX_PLAYBACK_ID = 256

const requestIdShape = /^[A-Za-z0-9-]{1,64}$/
const controlBytes = /[\x00-\x1f\x7f]/
const siteShape = /^[\x21-\x7e]{1,300}$/
const originShape = /^https?:\/\/(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/**
 * Reads the headers that the shipped nginx configuration sends (`nginx/alta-auth/server.conf`). Node gives
 * header values as latin-1, one character for each byte, as the encoders here expect.
 * @param sessionCookie SESSION_COOKIE: what counts where nginx names no mode
 */
export function readSubrequest(
  headers: IncomingHttpHeaders,
  sessionCookie: CookieMode = 'off',
): Subrequest | Refusal {
  const address = readAddress(text(headers['x-original-ip']))
  if (address === undefined) return refuse('X-Original-Ip is not an IP address')

  const origin = text(headers['x-original-origin'])
  if (origin.length > 300 || !originShape.test(origin)) return refuse('the client sent no usable Host')

  const site = text(headers['x-original-site'])
  if (site !== '' && !siteShape.test(site)) return refuse('$alta_auth_site is no name of a site')

  const rawPath = text(headers['x-original-path'])
  // nginx sends the path with a `|` at its end, because trailing spaces of a header value get lost.
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

  const isHead = headers['x-original-method'] === 'HEAD'
  const requestId = readRequestId(headers)
  // Written out twice, because spreading one object made a hit a third slower (Node 20).
  const subrequest: Written =
    requestId === undefined
      ? { address, origin, path, query, userAgent, playbackId, isHead }
      : { address, origin, path, query, userAgent, playbackId, isHead, requestId }
  if (site !== '' && site !== origin) subrequest.site = site

  const told = text(headers['x-original-cookie'])
  if (told === '') return subrequest
  const mode = text(headers['x-original-cookie-mode']) || sessionCookie
  const cookieMode = cookieModes.find((known) => known === mode)
  if (cookieMode === undefined) return refuse('$alta_auth_cookie_mode is none of off, on and strict')
  if (cookieMode !== 'off') subrequest.cookieMode = cookieMode
  addCookie(subrequest, told, site || origin)
  return subrequest
}

type Optional = 'site' | 'cookieMode' | 'cookie' | 'slot'
/** A subrequest that is being read. */
type Written = Omit<Subrequest, Optional> & { -readonly [Name in Optional]?: NonNullable<Subrequest[Name]> }

const slotShape = /^\d\d?$/

/**
 * Reads `slot|value` of a location with cookie.conf. The value does not leave this function: what counts is
 * its key. It counts also where cookies are off: who has got one while they were on plays on.
 */
function addCookie(subrequest: Written, told: string, site: string): void {
  const bar = told.indexOf('|')
  if (bar === -1) return
  const slot = told.slice(0, bar)
  const value = told.slice(bar + 1)
  if (slotShape.test(slot) && Number(slot) < SLOTS) subrequest.slot = Number(slot)
  if (isSecret(value)) subrequest.cookie = cookieKeyOf(value, site)
}

/** nginx's `$request_id`, which is in its access log too; undefined where it has another form. */
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

/**
 * The query of a request target, without the `?`. nginx cuts the target at a `#` before it looks for the `?`.
 * The absolute form `GET http://host?a=1` has no slash before the query.
 */
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

/**
 * Characters that RFC 3986 allows in a path unencoded. `%` is not among them, so the encoding is reversible.
 */
const nothingButPath = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const notPath = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g

const nothingButAscii = /^[\x20-\x7e]*$/
const notAscii = /[^\x20-\x7e]/g

/**
 * Encodes decoded path bytes (a latin-1 string, one character for each byte); decoding gives the same bytes.
 */
function encodePath(bytes: string): string {
  return nothingButPath.test(bytes) ? bytes : bytes.replace(notPath, percent)
}

/** Encodes every byte that is not printable ASCII (a latin-1 string, one character for each byte). */
function encodeNonAscii(bytes: string): string {
  return nothingButAscii.test(bytes) ? bytes : bytes.replace(notAscii, percent)
}

/** A table, so that 8 KB of such bytes cost no more time than a question does. */
const percentOf = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
)

function percent(character: string): string {
  return percentOf[character.charCodeAt(0)] ?? ''
}
