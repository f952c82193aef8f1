/** SESSION_COOKIE: what the session cookie means. */
export const cookieModes = ['off', 'on', 'strict'] as const
export type CookieMode = (typeof cookieModes)[number]

/**
 * A client request as nginx describes it. Every text is printable ASCII; other bytes are percent-encoded. So
 * a line break can separate the texts in a key, and no text can break a request to a backend.
 */
export interface Subrequest {
  /** The client's IP address; IPv4 is never written in its IPv6-mapped form. */
  readonly address: string
  /** `scheme://host`, with the port only when the client wrote one. */
  readonly origin: string
  /**
   * What the operator's nginx calls the site, where several origins are one: it takes the origin's place in
   * all keys. Undefined = the origin itself.
   */
  readonly site?: string
  /** The path that nginx will serve: normalised by nginx, percent-encoded by the gate, starts with `/`. */
  readonly path: string
  /** The client's query as sent, without the `?`; empty when there is none. */
  readonly query: string
  /** The client's User-Agent; empty when there is none. */
  readonly userAgent: string
  /** `X-Playback-Session-Id`, which AVPlayer sends; empty when there is none. */
  readonly playbackId: string
  /** A HEAD: the client asks whether it may play, and does not play yet. */
  readonly isHead?: boolean
  /**
   * What the session cookie means here. Undefined = nothing: no cookie.conf in this location, or `off`.
   * `strict`: nothing rides without it.
   */
  readonly cookieMode?: Exclude<CookieMode, 'off'>
  /** The key of the session cookie that the client sent, a hash; undefined = none. */
  readonly cookie?: string
  /** Where nginx has several gates: which cookies lead to this one, 0 to 15. */
  readonly slot?: number
  /** nginx's `$request_id`, for the log only: no verdict depends on it. A re-check has none. */
  readonly requestId?: string
}

/** One question to the backends, and what its place in the queue depends on. */
export interface Question {
  readonly subrequest: Subrequest
  /** Sent as `X-Session-Id`. */
  readonly sessionId: string
  /**
   * `re-check`: in the background, about a session that is playing. `resume`: about a silent one, which its
   * viewer waits for.
   */
  readonly occasion: 'question' | 're-check' | 'resume'
  /** The client's query has a parameter with one of the TOKEN_PARAM names, or its path a credential. */
  readonly credential: boolean
  /** The viewer, if they have a session that a backend allowed; undefined for an unknown viewer. */
  readonly knownViewer: string | undefined
}

/**
 * Query strings as bytes. Nothing here decodes a value or rebuilds a query, because the backend must receive
 * what the client sent.
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
 * PHP's rules (main/php_variables.c); the result is a latin-1 string. The name is decoded, cut at NUL,
 * stripped of leading spaces, and cut at a `[` that a later `]` closes (`k[x]` is an element of `k`). A
 * space, a `.` and an unclosed `[` become `_`.
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
