import type { Cpu, Run } from './measure.ts'
import type { Sizes } from './measure-sizes.ts'
import { median } from './median.ts'
import type { ScaleFigures } from './scale/figures.ts'
import type { WorkName } from './works.ts'

/** One contender's runs, and their medians. */
export interface Summary {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** CPU seconds per 100,000 requests. */
  readonly cpu: Cpu
  /** In the order of the rounds. */
  readonly runs: readonly Run[]
}

/** Medians by the contender's letter. */
export type Summaries = Readonly<Record<string, Summary>>

/** Memory of a contender's processes after the hits, in MB. */
export interface Memory {
  readonly nginx: number
  /** NaN when nginx asks no gate. */
  readonly gate: number
}

/** All figures. What was not asked for is missing. */
export interface Figures {
  readonly works: Partial<Record<WorkName, Summaries>>
  readonly latency?: Summaries
  readonly memory?: Readonly<Record<string, Memory>>
  readonly sizes?: Sizes
  /** Milliseconds from process start to first answer. */
  readonly start?: number
  readonly scale?: ScaleFigures
}

/** The medians of several runs. */
export function summarize(runs: readonly Run[]): Summary {
  const of = (read: (run: Run) => number): number => median(runs.map(read))
  return {
    perSecond: of((run) => run.perSecond),
    p50: of((run) => run.p50),
    p99: of((run) => run.p99),
    cpu: {
      nginx: of((run) => run.cpu.nginx),
      gate: of((run) => run.cpu.gate),
      backend: of((run) => run.cpu.backend),
    },
    runs,
  }
}

/** Whether anything but the parts of Valkey was measured. */
export function isContest({ works, latency, sizes, start }: Figures): boolean {
  return Object.keys(works).length > 0 || (latency ?? sizes ?? start) !== undefined
}
