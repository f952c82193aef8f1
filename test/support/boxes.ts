import type { TemporaryLinks } from './ministra-portal.ts'
import type { Nginx } from './nginx.ts'
import { openRawLine } from './raw-line.ts'
import type { Scope } from './scope.ts'

/** A channel's files for nginx, as HLS and as one MPEG-TS response. */
export const boxFiles: Readonly<Record<string, string>> = {
  '/live/one/index.m3u8': '#EXTM3U\n',
  '/live/one/1.ts': 'G',
  '/mpegts/one': 'G',
}

/** How often each answer was seen: `200`, `403`, `closed` … */
export type Seen = Readonly<Record<string, number>>

/** Set-top boxes behind Ministra, each with a link of its own, which is dead once they have started. */
export interface Boxes {
  /** Each asks for its channel once, with its link. Resolves with what they saw. */
  open(): Promise<Seen>
  /**
   * Each goes on once: half with a playlist and its segment, half with MPEG-TS. Resolves with what they saw.
   */
  round(): Promise<Seen>
  /** They go on until they leave: again and again. */
  play(): void
  /** Requests while they play that have ended. */
  ended(): number
  /** How often even the slowest box has been served since they began to play. */
  turns(): number
  /** What they saw since they began to play. */
  leave(): Promise<Seen>
}

export interface BoxesOptions {
  readonly count: number
  readonly links: TemporaryLinks
  /** Connections that they share, each from an address of its own; not more than boxes. */
  readonly connections?: number
  /** Begins the User-Agent of each. */
  readonly name?: string
  /** Characters that are added to each link, so that its record is large. */
  readonly padding?: number
}

export function startBoxes(scope: Scope, nginx: Nginx, options: BoxesOptions): Boxes {
  const { count, links, connections = 32, name = 'box', padding = 0 } = options
  const lines = Array.from({ length: connections }, (_, n) => openRawLine(nginx.port, `127.0.2.${n + 1}`))
  let over = false
  scope.after(() => {
    over = true
    for (const line of lines) line.close()
  })
  const boxes = Array.from({ length: count }, (_, n) => {
    const token = links.issue(`user-${name}-${n}`)
    const isHls = n % 2 === 0
    return {
      line: n % connections,
      userAgent: `${name}-${n}`,
      opens: `${isHls ? '/live/one/index.m3u8' : '/mpegts/one'}?token=${token}${padding > 0 ? `&p=${'p'.repeat(padding)}` : ''}`,
      // A box that plays MPEG-TS has nothing but its own URL.
      further: isHls ? ['/live/one/1.ts'] : [],
    }
  })
  let seen: Record<string, number> = {}
  let ended = 0
  const ask = async (box: (typeof boxes)[number], target: string): Promise<void> => {
    const text = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${box.userAgent}\r\n\r\n`
    const status = (await lines[box.line]?.ask(text)) ?? 'no line'
    ended++
    seen[status] = (seen[status] ?? 0) + 1
  }
  const turnsOf = lines.map(() => 0)
  const each = (act: (own: typeof boxes, line: number) => Promise<void>): Promise<unknown> =>
    Promise.all(
      lines.map((_, n) =>
        act(
          boxes.filter(({ line }) => line === n),
          n,
        ),
      ),
    )
  const goOn = async (own: typeof boxes): Promise<void> => {
    for (const box of own) for (const target of [box.opens, ...box.further]) await ask(box, target)
  }
  let playing: Promise<unknown> = Promise.resolve()
  return {
    async open() {
      await each(async (own) => {
        for (const box of own) await ask(box, box.opens)
      })
      return seen
    },
    async round() {
      seen = {}
      await each(goOn)
      return seen
    },
    play() {
      seen = {}
      ended = 0
      playing = each(async (own, line) => {
        for (let turn = 1; !over; turn++) {
          await goOn(own)
          turnsOf[line] = turn
        }
      })
    },
    ended: () => ended,
    turns: () => Math.min(...turnsOf),
    async leave() {
      over = true
      await playing
      for (const line of lines) line.close()
      return seen
    },
  }
}
