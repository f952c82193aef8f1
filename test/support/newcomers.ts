import { setTimeout as delay } from 'node:timers/promises'
import type { Edge, Edges, LonelyEdge } from './edges.ts'
import { get } from './http-get.ts'

/** Milliseconds. */
export interface Times {
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** New viewers with good tokens, a few in each second. Each has a twin at a gate without a store. */
export interface Newcomers {
  /** They come until that. */
  come(until: () => boolean): Promise<void>
  readonly refused: string[]
  /** What they took at the edges, and what their twins took. */
  shared(): Times
  alone(): Times
  describe(): string
}

const EVERY = 150

export function createNewcomers({ edges, tokens }: Edges, alone: LonelyEdge): Newcomers {
  const took: { shared: number[]; alone: number[] } = { shared: [], alone: [] }
  const refused: string[] = []
  const ask = async (edge: Edge, n: number, kind: 'shared' | 'alone'): Promise<void> => {
    // Every second one has a number of sessions.
    const token = (kind === 'alone' ? alone.tokens : tokens).issue(
      `${kind}-${n}`,
      n % 2 === 0 ? 3 : undefined,
    )
    const began = performance.now()
    const { status } = await get({ port: edge.nginx.port }, `/live/three/index.m3u8?token=${token}`, {
      'User-Agent': `${kind}-${n}`,
      Host: 'localhost',
    })
    took[kind].push(performance.now() - began)
    if (status !== 200) refused.push(`${kind}-${n}: ${status}`)
  }
  return {
    refused,
    async come(until) {
      const all: Promise<unknown>[] = []
      for (let n = 0; !until(); n++) {
        const edge = edges[n % 4 < 2 ? 0 : 1]
        // Side by side in time, but not at once: they would wait for each other.
        const first = n % 2 === 0 ? ask(edge, n, 'shared') : ask(alone, n, 'alone')
        all.push(
          first,
          delay(EVERY / 2).then(() => (n % 2 === 0 ? ask(alone, n, 'alone') : ask(edge, n, 'shared'))),
        )
        await delay(EVERY)
      }
      await Promise.all(all)
    },
    shared: () => timesOf(took.shared),
    alone: () => timesOf(took.alone),
    describe: () =>
      `${took.shared.length} newcomers ${describeTimes(timesOf(took.shared))} ms, alone ${describeTimes(timesOf(took.alone))} ms`,
  }
}

export function describeTimes({ p50, p90, p95, max }: Times): string {
  return [p50, p90, p95, max].map((one) => one.toFixed(1)).join(' / ')
}

export function timesOf(took: readonly number[]): Times {
  const sorted = [...took].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) }
}
