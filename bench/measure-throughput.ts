import { compare } from './compare.ts'
import { contenders } from './contenders/contenders.ts'
import { silent } from './progress.ts'
import { createScope } from './scope.ts'
import { openStage } from './stage.ts'
import type { WorkName } from './works.ts'

/** What is compared. */
export interface ThroughputOptions {
  /** Letters, such as `['b', 'h']`. */
  readonly contenders: readonly string[]
  readonly work: WorkName
  readonly rounds: number
  /** Seconds of one run. */
  readonly seconds: number
}

/**
 * Requests per second, medians by letter: a small run of the bench, for tests that compare contenders. It
 * ends all that it has started.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<Record<string, number>> {
  const scope = createScope()
  try {
    const chosen = contenders.filter(({ letter }) => options.contenders.includes(letter))
    const stage = await openStage(scope, chosen)
    const { work, rounds, seconds } = options
    const summaries = await compare(scope, stage, { work, rounds, seconds, progress: silent })
    return Object.fromEntries(Object.entries(summaries).map(([letter, { perSecond }]) => [letter, perSecond]))
  } finally {
    await scope.end()
  }
}
