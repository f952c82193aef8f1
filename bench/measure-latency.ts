import type { Scope } from '../test/support/scope.ts'
import { compare } from './compare.ts'
import type { Summaries } from './figures.ts'
import type { Progress } from './progress.ts'
import type { Stage } from './stage.ts'

export interface LatencyOptions {
  readonly rounds: number
  readonly seconds: number
  readonly progress: Progress
}

/** Requests per second. */
const RATE = 1000
const CONNECTIONS = 50
/** Milliseconds that each connection waits at most between two requests; on average half of that, and wrk's timers add a bit. */
const PACE = 98
/** How far the rate may be off: at another one latency is another thing. */
const TOLERANCE = 0.1

/** Latency of hits at a rate that leaves everybody time: what authorization adds to a viewer's wait. */
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
  const told = Object.entries(summaries).filter(([letter, { perSecond }]) => {
    if (Math.abs(perSecond / RATE - 1) <= TOLERANCE) return true
    const rate = Math.round(perSecond)
    process.stderr.write(
      `${letter} was asked ${rate} times a second and not ${RATE}: its latency does not count\n`,
    )
    return false
  })
  return Object.fromEntries(told)
}
