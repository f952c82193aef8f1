import type { Scope } from '../test/support/scope.ts'
import { compare } from './compare.ts'
import type { Summaries } from './figures.ts'
import type { Progress } from './progress.ts'
import type { Stage } from './stage.ts'

/** What is measured. */
export interface LatencyOptions {
  readonly rounds: number
  readonly seconds: number
  readonly progress: Progress
}

/** Requests per second. */
const RATE = 1000
const CONNECTIONS = 50
/**
 * The most milliseconds that each connection waits between two requests. The mean is half of that, and wrk's
 * timers add a little.
 */
const PACE = 98
/** The share by which the rate may differ. At another rate latencies cannot be compared. */
const TOLERANCE = 0.1

/** Latency of hits at a rate far below the limit: the time that authorization adds to a viewer's wait. */
export async function measureLatency(
  scope: Scope,
  stage: Stage,
  options: LatencyOptions,
): Promise<Summaries> {
  const summaries = await compare(scope, stage, {
    work: 'hits',
    connections: CONNECTIONS,
    pace: PACE,
    ...options,
  })
  const reached = Object.entries(summaries).filter(([letter, { perSecond }]) => {
    if (Math.abs(perSecond / RATE - 1) <= TOLERANCE) return true
    const rate = Math.round(perSecond)
    process.stderr.write(
      `${letter} was asked ${rate} times a second and not ${RATE}: its latency does not count\n`,
    )
    return false
  })
  return Object.fromEntries(reached)
}
