import type { Figures, Summaries } from './figures.ts'
import type { Run } from './measure.ts'
import { median } from './median.ts'
import { number, table } from './table.ts'

/**
 * h of this checkout (new) beside h of another (old, letter o). Two runs of a round see nearly the same load
 * of the machine, so the ratio is the median of those of the rounds; it stands beside the lowest and the
 * highest.
 */
export function pairTable({ works, latency }: Figures): string {
  const rows = [
    ...Object.entries(works).flatMap(([work, summaries]) => [
      pair(`${work}/s`, summaries, ({ perSecond }) => perSecond),
      pair(`${work}, CPU of the gate`, summaries, ({ cpu }) => cpu.gate),
      pair(`${work}, CPU of nginx`, summaries, ({ cpu }) => cpu.nginx),
    ]),
    pair('latency at a fixed rate, p50 ms', latency, ({ p50 }) => p50),
    pair('latency at a fixed rate, p99 ms', latency, ({ p99 }) => p99),
  ]
  return table(['', 'old', 'new', 'new ÷ old', 'in single rounds'], rows.flat())
}

/** One row, or none where the two were not measured. */
function pair(what: string, summaries: Summaries | undefined, read: (run: Run) => number): string[][] {
  const [before, after] = ['o', 'h'].map((letter) => summaries?.[letter]?.runs.map(read))
  if (before === undefined || after === undefined) return []
  const ratios = after.map((value, round) => value / (before[round] ?? Number.NaN))
  const digits = median(before) < 100 ? 2 : 0
  return [
    [
      what,
      number(median(before), digits),
      number(median(after), digits),
      number(median(ratios), 2),
      `${number(Math.min(...ratios), 2)} to ${number(Math.max(...ratios), 2)}`,
    ],
  ]
}
