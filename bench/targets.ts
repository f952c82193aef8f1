import type { Figures, Summaries, Summary } from './figures.ts'
import type { WorkName } from './works.ts'

/** One target, and what was measured. */
export interface Target {
  readonly figure: string
  readonly limit: string
  /** Undefined when it was not measured. */
  readonly value: number | undefined
  readonly unit: string
  readonly met: boolean
}

/** What alta-auth wants to reach, and what it reaches. */
export function judge(figures: Figures): Target[] {
  const { latency, sizes, start } = figures
  const rate = (work: WorkName, one: string, other: string): number | undefined =>
    ratio(figures, work, one, other, ({ perSecond }) => perSecond)
  const gateCpu = (work: WorkName, one: string, other: string): number | undefined =>
    ratio(figures, work, one, other, ({ cpu }) => cpu.gate)
  const hitCost = sizes && sizes.hitAtMillion / sizes.hitAtThousand
  return [
    atLeast('hits, h ÷ n (vs a bare process in Node)', rate('hits', 'h', 'n'), 0.85),
    atMost('hits, CPU of the gate, h ÷ n', gateCpu('hits', 'h', 'n'), 1.4),
    atLeast('hits, i ÷ c (nginx cache vs proxy_cache by hand)', rate('hits', 'i', 'c'), 1.1),
    atLeast('hits, i ÷ d (vs Lua in the worker)', rate('hits', 'i', 'd'), 0.95),
    atLeast('misses, h ÷ m (vs a bare process in Node)', rate('misses', 'h', 'm'), 0.6),
    atMost('misses, CPU of the gate, h ÷ m', gateCpu('misses', 'h', 'm'), 2),
    atMost('latency that h adds to b at 1,000/s, p50', added(latency, 'p50'), 0.3, ' ms'),
    atMost('latency that h adds to b at 1,000/s, p99', added(latency, 'p99'), 2, ' ms'),
    atMost('cost of a hit at 1,000,000 live sessions ÷ at 1,000', hitCost, 1.25),
    atMost('RSS idle', sizes?.idle, 85, ' MB'),
    atMost('RSS with 100,000 sessions', sizes?.hundredThousand.rss, 150, ' MB'),
    atMost('RSS with 1,000,000 sessions', sizes?.million.rss, 640, ' MB'),
    atMost('from process start to first answer', start, 350, ' ms'),
  ]
}

/** Undefined unless both were measured. */
function ratio(
  { works }: Figures,
  work: WorkName,
  one: string,
  other: string,
  read: (summary: Summary) => number,
): number | undefined {
  const [above, below] = [works[work]?.[one], works[work]?.[other]]
  return above && below && read(above) / read(below)
}

function added(latency: Summaries | undefined, which: 'p50' | 'p99'): number | undefined {
  const [gate, hop] = [latency?.['h'], latency?.['b']]
  return gate && hop && gate[which] - hop[which]
}

function atLeast(figure: string, value: number | undefined, least: number): Target {
  return { figure, limit: `>= ${least}`, value, unit: '', met: value !== undefined && value >= least }
}

function atMost(figure: string, value: number | undefined, most: number, unit = ''): Target {
  return { figure, limit: `<= ${most}${unit}`, value, unit, met: value !== undefined && value <= most }
}
