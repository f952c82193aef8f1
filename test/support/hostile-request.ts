import { gateHeaders } from './ask-gate.ts'
import { addressOf, type Received, sendBytes } from './hostile-site.ts'
import type { Site } from './site.ts'

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
export const routes = ['through nginx', 'directly'] as const
export type Route = (typeof routes)[number]

/** How a hostile text is placed, so that the text around it is well-formed. */
const around: { readonly [Place in keyof Parts]: (text: string) => string } = {
  path: (text) => `/live/a${text}b.ts`,
  name: (text) => `a${text}b`,
  value: (text) => `a${text}b`,
  userAgent: (text) => `a${text}b`,
  host: (text) => `a${text}b`,
  playbackId: (text) => `a${text}b`,
}

/** Plain values, and `text` in one place. */
export function partsWith(place: keyof Parts, text: string): Parts {
  const plain = { path: '/live/x.ts', name: 'n', value: 'v', userAgent: 'ua', host: 'h', playbackId: '' }
  return { ...plain, [place]: around[place](text) }
}

/**
 * The request as a client sends it to nginx, or as nginx would send it to the gate; from the `n`th client's
 * address.
 */
export function requestBytes(route: Route, parts: Parts, token: string, n: number): string {
  const { path, name, value, userAgent, host, playbackId } = parts
  const query = `${token}&${name}=${value}`
  const lines =
    route === 'through nginx'
      ? [
          `GET ${path}?${query} HTTP/1.1`,
          `Host: ${host}`,
          `User-Agent: ${userAgent}`,
          ...(playbackId === '' ? [] : [`X-Playback-Session-Id: ${playbackId}`]),
        ]
      : [
          'GET /auth HTTP/1.1',
          'Host: alta-auth',
          ...gateHeaders({
            address: addressOf(n),
            origin: `http://${host}`,
            path,
            uri: `/live/x.ts?${query}`,
            userAgent,
            playbackId,
          }),
        ]
  return `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`
}

/** Sends it from the `n`th client's address. */
export function sendParts(
  site: Site,
  route: Route,
  parts: Parts,
  token: string,
  n: number,
): Promise<Received> {
  const to =
    route === 'through nginx' ? { port: site.nginx.port, from: addressOf(n) } : { port: site.gate.port }
  return sendBytes(to, requestBytes(route, parts, token, n))
}
