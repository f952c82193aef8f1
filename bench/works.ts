import {
  audience,
  BAD_TOKEN,
  CHANNELS,
  GOOD_TOKEN,
  intruders,
  playlist,
  userAgentOf,
  wireOf,
} from './audience.ts'
import type { Play } from './generator.ts'
import { ADDRESS, NUMBER } from './newcomers.ts'
import { shuffle } from './shuffle.ts'

/** The names of all works. */
export const workNames = ['hits', 'mixed', 'denies', 'misses'] as const
export type WorkName = (typeof workNames)[number]

/** One kind of requests that contenders answer. */
export interface Work {
  /** One sentence for the results. */
  readonly what: string
  readonly play: Play
  /** The status that every answer must have. */
  readonly status: 200 | 403
}

/** One template for each User-Agent and some channels: a new viewer opens a playlist. */
const newcomers = (token: string): string[] =>
  Array.from({ length: CHANNELS }, (_, channel) => {
    const path = playlist(channel, `${token}${NUMBER}`)
    return wireOf({ path, userAgent: userAgentOf(channel), address: ADDRESS })
  })

/** Creates the works. Misses come last: they fill tables, and would evict what the hits need. */
export function createWorks(): Readonly<Record<WorkName, Work>> {
  const { playlists, segments } = audience()
  const watching = shuffle([...playlists, ...segments].map(wireOf))
  const good = newcomers(GOOD_TOKEN)
  return {
    hits: {
      what: `${playlists.length} viewers, each with a playlist (with token) and ${segments.length / playlists.length} segments (without), all known`,
      play: { known: watching, newcomers: good, every: 0 },
      status: 200,
    },
    mixed: {
      what: 'the hits, and every 50th request is a new viewer who opens a playlist',
      play: { known: watching, newcomers: good, every: 50 },
      status: 200,
    },
    denies: {
      what: `${intruders().length} viewers with a bad token each, all known, who try again and again; and every 10th request is a new one with a new bad token`,
      play: { known: shuffle(intruders().map(wireOf)), newcomers: newcomers(BAD_TOKEN), every: 10 },
      status: 403,
    },
    misses: {
      what: 'every request is a new viewer with a new token who opens a playlist',
      play: { known: watching, newcomers: good, every: 1 },
      status: 200,
    },
  }
}
