import type { HttpRequest } from '../../src/client/client.ts'
import { type GateQuestion, gateHeaders } from './ask-gate.ts'
import type { Asked } from './backend.ts'
import { questionOf } from './question-of.ts'

/** The only token that the backend allows. Whoever is not given it cannot guess it. */
export const GOOD = 'token=Vd3kQ0xYp9ZtR7mB'
export const BAD = 'token=bad'

/** Whether one of the parameters is exactly GOOD. The query begins at the first `?`. */
export function hasGood(target: string): boolean {
  return target
    .replace(/^[^?]*\??/, '')
    .split('&')
    .includes(GOOD)
}

/** Whether a question is well-formed: a target and headers of printable ASCII, each header once. */
export function isConservative({ target, headers }: Pick<Asked, 'target' | 'headers'>): boolean {
  const values = Object.values(headers)
  return /^[\x21-\x7e]+$/.test(target) && values.every((value) => /^[\x20-\x7e]*$/.test(value))
}

/** An address that only the `n`th client has. nginx sees it, because all of 127.0.0.0/8 is this machine. */
export function addressOf(n: number): string {
  return `127.${10 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}

/** The six values that a client chooses; latin-1, one character for each byte. */
export interface Parts {
  readonly path: string
  /** Stand in a parameter behind the token: `?token&name=value`. */
  readonly name: string
  readonly value: string
  readonly userAgent: string
  readonly host: string
  readonly playbackId: string
}

export const places = ['path', 'name', 'value', 'userAgent', 'host', 'playbackId'] as const
export type Route = 'through nginx' | 'directly'

/** Plain values, and `text` in one place, with a letter on each side. */
export function partsWith(place: keyof Parts, text: string): Parts {
  const plain = { path: '/live/x.ts', name: 'n', value: 'v', userAgent: 'ua', host: 'h', playbackId: '' }
  return { ...plain, [place]: place === 'path' ? `/live/a${text}b.ts` : `a${text}b` }
}

/** The subrequest that nginx would send for these values; from the `n`th client's address. */
function subrequestOf(parts: Parts, token: string, n: number): GateQuestion {
  const { path, name, value, userAgent, host, playbackId } = parts
  const uri = `/live/x.ts?${token}&${name}=${value}`
  return { address: addressOf(n), origin: `http://${host}`, path, uri, userAgent, playbackId }
}

/** What the gate would ask the backend; undefined when it refuses the request. */
export function questionAbout(parts: Parts, token: string): HttpRequest | undefined {
  return questionOf(subrequestOf(parts, token, 0))
}

/**
 * The request as a client sends it to nginx, or as nginx would send it to the gate; from the `n`th client's
 * address.
 */
export function requestBytes(route: Route, parts: Parts, token: string, n: number): string {
  const { path, name, value, userAgent, host, playbackId } = parts
  const lines =
    route === 'through nginx'
      ? [
          `GET ${path}?${token}&${name}=${value} HTTP/1.1`,
          `Host: ${host}`,
          `User-Agent: ${userAgent}`,
          ...(playbackId === '' ? [] : [`X-Playback-Session-Id: ${playbackId}`]),
        ]
      : ['GET /auth HTTP/1.1', 'Host: alta-auth', ...gateHeaders(subrequestOf(parts, token, n))]
  return `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`
}
