import type { Scope } from '../../test/support/scope.ts'
import { altaAuthShared } from '../contenders/alta-auth-shared.ts'
import { CONNECTIONS, createGenerator } from '../generator.ts'
import { measure, type Run } from '../measure.ts'
import { median } from '../median.ts'
import type { Progress } from '../progress.ts'
import { type Entrant, openStage, warm } from '../stage.ts'
import { createWorks } from '../works.ts'
import type { HitFigures, StoppedHits } from './figures.ts'

export interface StoppedOptions {
  readonly rounds: number
  /** Seconds of one run. */
  readonly seconds: number
  readonly progress: Progress
}

/** Milliseconds until the gate has seen that Valkey has stopped, or is back. */
const SEEN = 1_500

export function stoppedSeconds(rounds: number, seconds: number): number {
  return 5 + 2 * (rounds + 1) * (seconds + 2)
}

/** Hits of known viewers while Valkey runs, and while it is stopped (SIGSTOP): they must not differ. */
export async function measureStopped(scope: Scope, options: StoppedOptions): Promise<StoppedHits> {
  const { rounds, seconds, progress } = options
  const { grounds, entrants } = await openStage(scope, [altaAuthShared])
  const [entrant] = entrants as [Entrant]
  const valkey = entrant.running.valkey as number
  const { play, status } = createWorks().hits
  const generator = createGenerator(scope, grounds.folder, play)
  scope.after(() => void process.kill(valkey, 'SIGCONT'))
  await warm(entrant, 'hits')

  const runs: Record<keyof StoppedHits, Run[]> = { running: [], stopped: [] }
  for (let round = 0; round <= rounds; round++)
    for (const state of ['running', 'stopped'] as const) {
      progress.begin(`hits, Valkey ${state}, round ${round} of ${rounds}`)
      process.kill(valkey, state === 'stopped' ? 'SIGSTOP' : 'SIGCONT')
      await new Promise((resolve) => setTimeout(resolve, SEEN))
      const run = await measure(entrant, grounds, { generator, status, connections: CONNECTIONS, seconds })
      progress.done(`${Math.round(run.perSecond)}/s`, seconds + 2)
      // The first run compiles the code.
      if (round > 0) runs[state].push(run)
    }
  process.kill(valkey, 'SIGCONT')
  return { running: middle(runs.running), stopped: middle(runs.stopped) }
}

function middle(runs: readonly Run[]): HitFigures {
  /** From seconds per 100,000 hits. */
  const micro = (read: (run: Run) => number): number => median(runs.map(read)) * 10
  return {
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    gate: micro(({ cpu }) => cpu.gate),
    nginx: micro(({ cpu }) => cpu.nginx),
  }
}
