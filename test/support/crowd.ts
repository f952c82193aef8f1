import { connect, type Socket } from 'node:net'
import type { Nginx } from './nginx.ts'
import type { Scope } from './scope.ts'

export interface CrowdOptions {
  /** Connections kept alive, each from an address of its own; 32 unless given. */
  readonly connections?: number
  readonly userAgent?: string
}

/** What the crowd has seen: `good 200`, `bad 403`, `good closed` … → how often. */
export type Tally = Readonly<Record<string, number>>

export interface Crowd {
  /** Requests that have ended, with or without an answer. */
  ended(): number
  /** Lets each viewer finish its request and leave. */
  leave(): Promise<Tally>
}

interface Line {
  /** The status, or what happened to the connection. */
  ask(text: string): Promise<string>
  close(): void
}

/**
 * Viewers who ask as fast as they are answered. Every other request is a new viewer's, and half of those have
 * a bad token. A request on a connection that turns out to be closed is sent again on a new one, as every
 * player does. It is counted as `sent again`.
 */
export function startCrowd(scope: Scope, nginx: Nginx, options: CrowdOptions = {}): Crowd {
  const { connections = 32, userAgent = 'crowd' } = options
  const tally: Record<string, number> = {}
  let ended = 0
  let over = false
  const count = (what: string): void => {
    tally[what] = (tally[what] ?? 0) + 1
  }
  const lines = Array.from({ length: connections }, (_, number) =>
    openLine(nginx.port, `127.0.1.${number + 1}`, () => count('sent again')),
  )
  scope.after(() => {
    over = true
    for (const line of lines) line.close()
  })
  const viewer = async (line: Line, number: number): Promise<void> => {
    for (let turn = 0; !over; turn++) {
      const who = turn >> 1
      const token = who % 2 === 0 ? 'good' : 'bad'
      const status = await line.ask(
        `GET /index.m3u8?token=${token} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${userAgent}-${number}-${who}\r\n\r\n`,
      )
      ended++
      count(`${token} ${status}`)
    }
  }
  const viewers = lines.map((line, number) => viewer(line, number))
  return {
    ended: () => ended,
    async leave() {
      over = true
      await Promise.all(viewers)
      for (const line of lines) line.close()
      return tally
    },
  }
}

/** One request after the other on a raw connection: ten times as fast as Node's own client. */
function openLine(port: number, from: string, onAgain: () => void): Line {
  let socket: Socket | undefined
  const once = (text: string): Promise<{ readonly status: string; readonly stale: boolean }> =>
    new Promise((resolve) => {
      const reused = socket !== undefined
      const used = socket ?? connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
      socket = used
      let received = ''
      const end = (status: string, stale = false): void => {
        used.removeAllListeners()
        used.on('error', () => {})
        resolve({ status, stale })
      }
      const lose = (why: string): void => {
        socket = undefined
        used.destroy()
        end(why, reused && received === '')
      }
      used.setTimeout(20_000, () => lose('silent'))
      used.on('error', ({ message }) => lose(message))
      used.on('close', () => lose('closed'))
      used.on('data', (bytes) => {
        received += bytes.toString('latin1')
        const head = received.indexOf('\r\n\r\n')
        if (head === -1) return
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1] ?? 0)
        if (received.length < head + 4 + length) return
        if (/\r\nconnection: close/i.test(received)) {
          socket = undefined
          used.destroy()
        }
        end(received.slice(9, 12))
      })
      used.write(text)
    })
  return {
    async ask(text) {
      const first = await once(text)
      if (!first.stale) return first.status
      onAgain()
      return (await once(text)).status
    },
    close: () => socket?.destroy(),
  }
}

/** All that the crowd has seen, except right verdicts. */
export function failuresOf({ 'good 200': _good, 'bad 403': _bad, ...failures }: Tally): Tally {
  return failures
}
