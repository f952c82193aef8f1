import type { Tally } from '../metrics/tally.ts'
import { notTheBackends, type Outcome, type Source, sources, type Verdict } from '../verdict.ts'
import { createLatestTimes } from './latest-times.ts'

/** Answers a second, by verdict and source. */
type Rates = Readonly<Record<Verdict, Readonly<Record<Source, number>>>>

/** What happened since the previous look. */
export interface Beat {
  readonly rates: Rates
  /** In the operator's order. Times are milliseconds over the last minute, null when nothing was asked. */
  readonly backends: readonly {
    readonly p50: number | null
    readonly p99: number | null
    readonly perSecond: number
  }[]
}

/** Rates and times of the present moment, for the live page. */
export interface Pulse {
  /**
   * A question to a backend ended.
   * @param backend its place in the operator's order
   * @param took milliseconds
   */
  asked(backend: number, outcome: Outcome, took: number): void
  /** To be called once a second. The first look, and a look after a pause, has no rates yet. */
  look(): Beat
}

/** What the pulse counts. */
interface PulseOptions {
  readonly tally: Pick<Tally, 'snapshot'>
  /** How many backends there are. */
  readonly backends: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Milliseconds. A look later than this after the previous one gives no rates. */
const PAUSE = 10_000

const none: Readonly<Record<Source, number>> = { backend: 0, session: 0, stale: 0, default: 0, gate: 0 }

/** Turns counters that only rise into rates per second. */
export function createPulse({ tally, backends, clock }: PulseOptions): Pulse {
  const times = Array.from({ length: backends }, createLatestTimes)
  let before = read(tally)
  let lookedAt = Number.NEGATIVE_INFINITY

  return {
    asked(backend, outcome, took) {
      if (outcome.kind === 'refused') return
      if (outcome.kind === 'unavailable' && notTheBackends.has(outcome.reason)) return
      times[backend]?.note(took, clock())
    },
    look() {
      const now = clock()
      const elapsed = now - lookedAt
      const rate = (count: number): number =>
        elapsed > PAUSE || elapsed <= 0 ? 0 : Math.round((count * 10_000) / elapsed) / 10
      const counted = read(tally)
      const rates = { allow: { ...none }, deny: { ...none } }
      for (const verdict of ['allow', 'deny'] as const) {
        for (const source of sources)
          rates[verdict][source] = rate(counted[verdict][source] - before[verdict][source])
      }
      before = counted
      lookedAt = now
      return {
        rates,
        backends: times.map((one) => {
          const [p50 = null, p99 = null] = one.quantiles([0.5, 0.99], now)
          return { p50, p99, perSecond: rate(one.count()) }
        }),
      }
    },
  }
}

function read(tally: Pick<Tally, 'snapshot'>): Rates {
  const counts = { allow: { ...none }, deny: { ...none } }
  for (const { verdict, source, count } of tally.snapshot().answers) counts[verdict][source] += count
  return counts
}
