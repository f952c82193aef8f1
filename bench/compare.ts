import type { Scope } from '../test/support/scope.ts'
import { type Summaries, summarize } from './figures.ts'
import { CONNECTIONS, createGenerator } from './generator.ts'
import { measure, type Run } from './measure.ts'
import type { Progress } from './progress.ts'
import { type Entrant, type Stage, warm } from './stage.ts'
import { createWorks, type WorkName } from './works.ts'

/** What is compared, and for how long. */
export interface CompareOptions {
  readonly work: WorkName
  readonly rounds: number
  /** Seconds of one run. */
  readonly seconds: number
  readonly connections?: number
  /** See replay.lua. 0 = as fast as possible. */
  readonly pace?: number
  readonly progress: Progress
}

/**
 * Seconds of the first run of each contender, which does not count: code is compiled, connections are opened.
 */
export const WARM_UP = 1
/** Seconds that a run takes besides its own time. */
export const OVERHEAD = 0.5

/**
 * In each round one contender runs after the other, so that all are measured under the same load of the
 * machine. Returns medians by letter.
 */
export async function compare(scope: Scope, stage: Stage, options: CompareOptions): Promise<Summaries> {
  const { work, rounds, seconds, progress, connections = CONNECTIONS, pace = 0 } = options
  const { play, status } = createWorks()[work]
  const generator = createGenerator(scope, stage.grounds.folder, play)
  const run = async (entrant: Entrant, what: string, time: number): Promise<Run> => {
    const { letter, name } = entrant.contender
    progress.begin(`${work}${pace > 0 ? ' at a fixed rate' : ''}, ${what}: ${letter} ${name}`)
    const load = { generator, status, connections, pace, seconds: time }
    const measured = await measure(entrant, stage.grounds, load)
    const { perSecond, p50, p99 } = measured
    progress.done(
      `${Math.round(perSecond)}/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
      time + OVERHEAD,
    )
    return measured
  }

  const entrants = stage.entrants.filter(({ contender }) => contender.works.includes(work))
  for (const entrant of entrants) {
    await warm(entrant, work)
    await run(entrant, 'to warm up', WARM_UP)
  }
  const runs = new Map<string, Run[]>(entrants.map(({ contender }) => [contender.letter, []]))
  for (let round = 0; round < rounds; round++) {
    // The order changes from round to round.
    const order = entrants.map((_, at) => entrants[(at + round) % entrants.length])
    for (const entrant of order) {
      if (entrant === undefined) continue
      // What a contender forgot while the others ran is not part of its run.
      await warm(entrant, work)
      const measured = await run(entrant, `round ${round + 1} of ${rounds}`, seconds)
      runs.get(entrant.contender.letter)?.push(measured)
    }
  }
  return Object.fromEntries([...runs].map(([letter, all]) => [letter, summarize(all)]))
}
