import { request } from 'node:http'
import { dial, type ListenAddress } from '../../listen.ts'

/** What a listener on this machine answered. */
export type LookedAt =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string | string[] | undefined>>
      readonly body: string
      readonly ms: number
    }
  /** Nothing listens, or this user may not connect (`EACCES`). */
  | { readonly kind: 'refused'; readonly code: string }
  /** It connected, but sent nothing in time. */
  | { readonly kind: 'frozen' }
  /** It did not connect in time. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'not-http' }

/** What is asked, and how long. */
interface LookOptions {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds. */
  readonly limit: number
  readonly clock: () => number
}

const MAX_BODY = 262_144

/** Sends one GET on a connection of its own. */
export function lookAt(address: ListenAddress, options: LookOptions): Promise<LookedAt> {
  const { path, headers, limit, clock } = options
  return new Promise((resolve) => {
    const began = clock()
    let connected = false
    const settle = (looked: LookedAt): void => {
      clearTimeout(timer)
      asking.destroy()
      resolve(looked)
    }
    const timer = setTimeout(() => settle({ kind: connected ? 'frozen' : 'silent' }), limit)
    const asking = request({ ...dial(address), path, headers, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        if (body.length < MAX_BODY) body += text
      })
      response.on('end', () =>
        settle({
          kind: 'answered',
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          ms: clock() - began,
        }),
      )
    })
    asking.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true
      })
    })
    asking.on('error', (error: NodeJS.ErrnoException) => {
      settle(connected ? { kind: 'not-http' } : { kind: 'refused', code: error.code ?? error.message })
    })
    asking.end()
  })
}
