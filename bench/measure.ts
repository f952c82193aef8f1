import { setTimeout as delay } from 'node:timers/promises'
import type { Generator, Load } from './generator.ts'
import type { Grounds } from './grounds.ts'
import { cpuSeconds } from './process-readings.ts'
import type { Entrant } from './stage.ts'

/** CPU seconds per 100,000 requests. */
export interface Cpu {
  readonly nginx: number
  /** NaN when nginx asks no gate. */
  readonly gate: number
  readonly backend: number
}

/** The figures of one run. */
export interface Run extends Load {
  readonly cpu: Cpu
}

/** What one run does. */
export interface MeasureOptions {
  readonly generator: Generator
  readonly seconds: number
  readonly connections: number
  readonly pace?: number
  /** The status that every answer must have. */
  readonly status: 200 | 403
}

/** Milliseconds in which the work of the previous run ends. */
const PAUSE = 200
/** The most newcomers of one run. */
const NUMBERS_A_RUN = 10_000_000

let runs = 0

/** Measures one run of one contender. @throws when an answer has another status than it must have */
export async function measure(entrant: Entrant, grounds: Grounds, options: MeasureOptions): Promise<Run> {
  const { contender, running } = entrant
  const { generator, status, ...load } = options
  await delay(PAUSE)
  const errors = running.errorLog()
  const before = readCpu(entrant, grounds)
  const result = await generator.run({ port: running.port, first: ++runs * NUMBERS_A_RUN, ...load })
  const after = readCpu(entrant, grounds)

  // wrk only counts the statuses of 400 and more. That they were 403 is known from nginx's log: a 404 or a
  // 5xx writes a line.
  const wrong = status === 403 ? result.requests - result.refused : result.refused
  const complaints = running.errorLog().slice(errors.length)
  if (wrong > 0 || complaints !== '') {
    throw new Error(
      `${contender.letter} (${contender.name}): ${wrong} of ${result.requests} answers were not ${status}, nginx's error log says\n${complaints.slice(0, 2000) || 'nothing'}`,
    )
  }
  const per = (part: keyof Cpu): number => ((after[part] - before[part]) / result.requests) * 100_000
  return { ...result, cpu: { nginx: per('nginx'), gate: per('gate'), backend: per('backend') } }
}

function readCpu({ running }: Entrant, grounds: Grounds): Cpu {
  return {
    nginx: cpuSeconds(running.nginx),
    gate: running.gates === undefined ? Number.NaN : cpuSeconds(...running.gates),
    backend: cpuSeconds(grounds.backend.pid),
  }
}
