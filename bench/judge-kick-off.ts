import type { KickOff } from './run-kick-off.ts'
import type { Outcome } from './send-in-time.ts'
import { number, table } from './table.ts'

/** The default BACKEND_TIMEOUT in milliseconds: no viewer waits longer for a verdict. */
const DEADLINE = 2_000
/** Milliseconds that a hit may take, even where the bare process is faster. */
const QUICK = 20

/** One contender's result. */
export interface Result {
  readonly letter: string
  readonly name: string
  readonly kickOff: KickOff
}

/** Which bounds a gate breaks: a sentence for each. `bare` is the same at contender m. */
export function brokenBounds(gate: KickOff, bare: KickOff): readonly string[] {
  const refused = gate.newcomers.filter(isRefused).length
  const slowest = percentile(gate.newcomers, 0.99)
  const meanwhile = percentile(gate.meanwhile, 0.99)
  const most = Math.max(QUICK, 2 * percentile(bare.meanwhile, 0.99))
  return [
    ...(refused > 0 ? [`${refused} of ${gate.newcomers.length} newcomers were not let in`] : []),
    ...(gate.meanwhile.some(isRefused) ? ['viewers who played already were refused'] : []),
    ...(slowest > DEADLINE ? [`p99 of the newcomers is ${ms(slowest)}, at most ${ms(DEADLINE)}`] : []),
    ...(meanwhile > most ? [`p99 of the hits meanwhile is ${ms(meanwhile)}, at most ${ms(most)}`] : []),
  ]
}

/** The figures of one crowd, for people. */
export function kickOffTable(results: readonly Result[]): string {
  const times = (outcomes: readonly Outcome[], ...parts: readonly number[]): string =>
    parts.map((part) => number(percentile(outcomes, part), 0)).join(' / ')
  return table(
    [
      ...['', 'let in', 'newcomers p50 / p99 / max', 'playing before p50 / p99', 'meanwhile p50 / p99 / max'],
      ...['gate CPU', 'nginx CPU', 'generator CPU', 'sent late p99'],
    ],
    results.map(({ letter, name, kickOff: { newcomers, before, meanwhile, cpu, lateness } }) => [
      `${letter}. ${name}`,
      number(newcomers.filter((one) => !isRefused(one)).length, 0),
      `${times(newcomers, 0.5, 0.99, 1)} ms`,
      `${times(before, 0.5, 0.99)} ms`,
      `${times(meanwhile, 0.5, 0.99, 1)} ms`,
      ...[cpu.gate, cpu.nginx, cpu.generator].map((seconds) => `${number(seconds, 1)} s`),
      ms(quantile(lateness, 0.99)),
    ]),
  )
}

/** What those met who were not let in: `newcomers got 403 overload` → how many. */
export function refusals({ newcomers, before, meanwhile }: KickOff): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [who, outcomes] of Object.entries({ newcomers, players: [...before, ...meanwhile] }))
    for (const { status, reason } of outcomes.filter(isRefused)) {
      const what = `${who} got ${status} ${reason}`
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
  return counts
}

function isRefused({ status }: Outcome): boolean {
  return status !== 200
}

function percentile(outcomes: readonly Outcome[], part: number): number {
  return quantile(
    outcomes.map(({ took }) => took),
    part,
  )
}

/** The smallest value that this part of all values does not exceed; NaN without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

function ms(time: number): string {
  return `${number(time, 0)} ms`
}
