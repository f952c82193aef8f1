/**
 * What nginx tells us of a client request. Every text is printable ASCII without control bytes (other bytes percent-encoded), so a
 * line break can delimit them and none of them can break a request that is sent on.
 */
export interface Subrequest {
  /** The client's IP address; IPv4 is never written in its IPv6-mapped form. */
  readonly address: string
  /** `scheme://host`, with the port only when the client wrote one. */
  readonly origin: string
  /** The path that nginx will serve: normalised by nginx, percent-encoded by us, starts with `/`. */
  readonly path: string
  /** The client's query as sent, without the `?`; empty when there is none. */
  readonly query: string
  /** The client's User-Agent; empty when there is none. */
  readonly userAgent: string
  /** `X-Playback-Session-Id`, which AVPlayer sends; empty when there is none. */
  readonly playbackId: string
  /** nginx's `$request_id`, for the log alone: no part of what is judged or asked. A re-check has none. */
  readonly requestId?: string
}

/** What is asked, and what decides who is asked about first. */
export interface Question {
  readonly subrequest: Subrequest
  /** `X-Session-Id`. */
  readonly sessionId: string
  /** `re-check`: about a playing session, in the background. */
  readonly occasion: 'question' | 're-check'
  /** The client's query holds one of the TOKEN_PARAM names. */
  readonly credential: boolean
  /** The viewer, where a backend has allowed them something lately; undefined for a stranger. */
  readonly knownViewer: string | undefined
}

/**
 * Query strings as bytes: nothing here decodes a value or puts a query together again, because what reaches the backend must be what
 * the client sent.
 */

/** The raw `name=value` pieces of a query, in order; empty pieces (`a&&b`) included. */
export function piecesOf(query: string): string[] {
  return query === '' ? [] : query.split('&')
}

/** The name under which PHP registers a raw `name=value` piece; empty when PHP registers nothing. */
export function phpNameOf(piece: string): string {
  const equals = piece.indexOf('=')
  return phpName(equals === -1 ? piece : piece.slice(0, equals))
}

const plainName = /^[A-Za-z0-9_~!$'()*,;:@/-]*$/

/**
 * PHP's own rules (main/php_variables.c), as a latin-1 string: the name is decoded, cut at NUL, stripped of leading spaces, cut at a
 * `[` that is closed by a `]` further on (`k[x]` is an element of `k`); a space, a `.` and an unclosed `[` become `_`.
 */
function phpName(raw: string): string {
  if (plainName.test(raw)) return raw
  let name = decode(raw)
  const nul = name.indexOf('\0')
  if (nul !== -1) name = name.slice(0, nul)
  name = name.replace(/^ +/, '')
  const bracket = name.indexOf('[')
  if (bracket === 0) return ''
  if (bracket !== -1 && name.includes(']', bracket + 1)) name = name.slice(0, bracket)
  return name.replace(/[ .[]/g, '_')
}

function decode(raw: string): string {
  return raw
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
