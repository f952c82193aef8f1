import type { Scope } from '../test/support/scope.ts'
import { compare, OVERHEAD, WARM_UP } from './compare.ts'
import type { Figures, Memory, Summaries } from './figures.ts'
import { measureLatency } from './measure-latency.ts'
import { measureSizes, sizesSeconds } from './measure-sizes.ts'
import { measureStart, startSeconds } from './measure-start.ts'
import { pss, rss } from './process-readings.ts'
import { createProgress } from './progress.ts'
import { type BenchOptions, type ValkeyPart, valkeyParts } from './read-options.ts'
import { measureScale, scaleSeconds } from './scale/measure-scale.ts'
import { openStage, type Stage } from './stage.ts'
import { type WorkName, workNames } from './works.ts'

/** Runs all parts that were asked for, one after the other. */
export async function runBench(scope: Scope, options: BenchOptions): Promise<Figures> {
  const { seconds } = options
  const isWanted = (part: BenchOptions['parts'][number]): boolean => options.parts.includes(part)
  const roundsOf = (part: WorkName | 'latency'): number =>
    part === 'hits' ? options.rounds : options.otherRounds

  const progress = createProgress(plannedSeconds(options, roundsOf))
  const isAlone = options.parts.every((part) => isValkeyPart(part))
  const stage = await openStage(scope, isAlone ? [] : options.contenders)
  const works: Partial<Record<WorkName, Summaries>> = {}
  let memory: Figures['memory']
  let latency: Figures['latency']
  for (const work of workNames) {
    if (isWanted(work))
      works[work] = await compare(scope, stage, { work, rounds: roundsOf(work), seconds, progress })
    if (work !== 'hits') continue
    if (isWanted('hits')) memory = readMemory(stage)
    if (isWanted('latency'))
      latency = await measureLatency(scope, stage, { rounds: roundsOf('latency'), seconds, progress })
  }
  const { folder, backend } = stage.grounds
  const small = { folder, backend: backend.port, rounds: options.otherRounds, seconds, progress }
  const sizes = isWanted('sizes') ? await measureSizes(scope, small) : undefined
  const start = isWanted('start') ? await measureStart(scope, backend.port, progress) : undefined
  const scale = await measureScale(scope, { ...options, folder, rounds: options.otherRounds, progress })
  return {
    works,
    ...(Object.keys(scale.measured).length > 0 && { scale }),
    ...(memory && { memory }),
    ...(latency && { latency }),
    ...(sizes && { sizes }),
    ...(start && { start }),
  }
}

function readMemory(stage: Stage): Record<string, Memory> {
  const ofHits = stage.entrants.filter(({ contender }) => contender.works.includes('hits'))
  return Object.fromEntries(
    ofHits.map(({ contender, running }) => [
      contender.letter,
      {
        nginx: pss(running.nginx),
        gate: running.gates === undefined ? Number.NaN : rss(...running.gates),
      },
    ]),
  )
}

function plannedSeconds(options: BenchOptions, roundsOf: (part: WorkName | 'latency') => number): number {
  const { seconds } = options
  const run = seconds + OVERHEAD
  const ofPart = (part: BenchOptions['parts'][number]): number => {
    if (part === 'sizes') return sizesSeconds(options.otherRounds, seconds)
    if (part === 'start') return startSeconds
    if (isValkeyPart(part)) return scaleSeconds(part, { ...options, rounds: options.otherRounds })
    const work = part === 'latency' ? 'hits' : part
    const taking = options.contenders.filter(({ works }) => works.includes(work)).length
    return taking * (WARM_UP + OVERHEAD + roundsOf(part) * run)
  }
  return options.parts.map(ofPart).reduce((sum, some) => sum + some, 0)
}

function isValkeyPart(part: BenchOptions['parts'][number]): part is ValkeyPart {
  return valkeyParts.some((one) => one === part)
}
