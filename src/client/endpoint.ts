import { phpNameOf, piecesOf } from '../subrequest.ts'

/** The parsed URL of one backend in BACKEND_URL. */
export interface Endpoint {
  /** For logs and messages: the URL without user, password and parameters. */
  readonly name: string
  readonly protocol: 'http:' | 'https:'
  /** Host name or address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** The value of the `Host` header. */
  readonly authority: string
  /** Starts with `/`. */
  readonly path: string
  /** The operator's own parameters as written, without the `?`; empty when there are none. */
  readonly query: string
  /**
   * Names of the operator's parameters as PHP registers them. Client parameters with these names are removed.
   */
  readonly ownNames: ReadonlySet<string>
  /** `Basic …` from `user:password@`; undefined when there is none. */
  readonly authorization: string | undefined
}

/** A backend URL is not usable. The message says why and what to write instead; it holds no secret. */
export class BackendUrlError extends Error {
  override readonly name = 'BackendUrlError'
}

/**
 * Parses one backend URL. Path and query stay as written, byte for byte; `URL` would rewrite them.
 * @throws {BackendUrlError}
 */
export function readEndpoint(text: string): Endpoint {
  if (/[^\x21-\x7e]/.test(text)) {
    throw new BackendUrlError('holds a space or a byte that is not ASCII; percent-encode it')
  }
  const parts = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/i.exec(text)
  if (parts === null) {
    throw new BackendUrlError('is not an http:// or https:// URL; write it as http://127.0.0.1:6000/auth')
  }
  const [, scheme = '', authority = '', path = '', query = '', fragment] = parts
  if (fragment !== undefined) throw new BackendUrlError('has a # in it; write %23 if you mean the character')
  // The password of the second URL would be part of the path, which logs show.
  if (path.includes('://'))
    throw new BackendUrlError('has another URL in its path; separate several URLs by spaces or commas')

  const base = `${scheme}://${authority}/`
  if (!URL.canParse(base))
    throw new BackendUrlError('has no usable host or port; write it as http://127.0.0.1:6000/auth')
  const url = new URL(base)
  if (url.port === '0')
    throw new BackendUrlError('has port 0, which cannot be connected to; write a real port')
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  const usedPath = path === '' ? '/' : path
  return {
    name: `${protocol}//${url.host}${usedPath}`,
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port),
    authority: url.host,
    path: usedPath,
    query,
    ownNames: new Set(
      piecesOf(query)
        .map(phpNameOf)
        .filter((name) => name !== ''),
    ),
    authorization: readAuthorization(url),
  }
}

function readAuthorization(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  const userAndPassword = `${decode(url.username)}:${decode(url.password)}`
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw new BackendUrlError('has an invalid % in its user or password; write %25 for a percent sign')
  }
}
