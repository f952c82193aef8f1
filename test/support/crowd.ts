import type { Nginx } from './nginx.ts'
import { openRawLine, type RawLine } from './raw-line.ts'
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
    openRawLine(nginx.port, `127.0.1.${number + 1}`, () => count('sent again')),
  )
  scope.after(() => {
    over = true
    for (const line of lines) line.close()
  })
  const viewer = async (line: RawLine, number: number): Promise<void> => {
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

/** All that the crowd has seen, except right verdicts. */
export function failuresOf({ 'good 200': _good, 'bad 403': _bad, ...failures }: Tally): Tally {
  return failures
}
