import type { Figures, Summaries } from './figures.ts'
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
  const { works, latency, sizes, start } = figures
  const ratio = (work: WorkName, one: string, other: string): number | undefined => {
    const [above, below] = [works[work]?.[one], works[work]?.[other]]
    return above && below && above.perSecond / below.perSecond
  }
  const gateCpu = (letter: string): number | undefined => works.hits?.[letter]?.cpu.gate
  const hitCost = sizes && sizes.hitAtMillion / sizes.hitAtThousand
  return [
    atLeast('hits, h ÷ b (Unix socket vs the limit of a hop)', ratio('hits', 'h', 'b'), 0.8),
    atLeast('hits, g ÷ f (vs the plain Express way)', ratio('hits', 'g', 'f'), 6),
    atLeast('hits, i ÷ a (nginx cache vs no auth at all)', ratio('hits', 'i', 'a'), 0.88),
    atLeast('hits, i ÷ d (vs Lua in the worker)', ratio('hits', 'i', 'd'), 1.05),
    atLeast('misses, g ÷ f', ratio('misses', 'g', 'f'), 2),
    atMost('CPU of the gate per 100,000 hits, TCP (g)', gateCpu('g'), 1.6, ' s'),
    atMost('CPU of the gate per 100,000 hits, Unix socket (h)', gateCpu('h'), 1.6, ' s'),
    atMost('latency that h adds to b at 1,000/s, p50', added(latency, 'p50'), 0.3, ' ms'),
    atMost('latency that h adds to b at 1,000/s, p99', added(latency, 'p99'), 2, ' ms'),
    atMost('cost of a hit at 1,000,000 live sessions ÷ at 1,000', hitCost, 1.25),
    atMost('RSS idle', sizes?.idle, 85, ' MB'),
    atMost('RSS with 100,000 sessions', sizes?.hundredThousand.rss, 150, ' MB'),
    atMost('RSS with 1,000,000 sessions', sizes?.million.rss, 640, ' MB'),
    atMost('from process start to first answer', start, 350, ' ms'),
  ]
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
