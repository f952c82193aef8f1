import type { Contender } from './contenders/contender.ts'
import type { Figures } from './figures.ts'
import { number, table } from './table.ts'
import { judge } from './targets.ts'
import type { WorkName } from './works.ts'

type Contenders = readonly Pick<Contender, 'letter' | 'name'>[]

/** Requests per second of each work, latency at a fixed rate, and memory. */
export function comparison(contenders: Contenders, { works, latency, memory }: Figures): string {
  const head = ['', 'hits/s', 'mixed/s', 'denies/s', 'misses/s', 'p50 ms', 'p99 ms', 'nginx MB', 'gate MB']
  return table(
    head,
    contenders.map(({ letter, name }) => [
      `${letter}. ${name}`,
      number(works.hits?.[letter]?.perSecond, 0),
      number(works.mixed?.[letter]?.perSecond, 0),
      number(works.denies?.[letter]?.perSecond, 0),
      number(works.misses?.[letter]?.perSecond, 0),
      number(latency?.[letter]?.p50, 2),
      number(latency?.[letter]?.p99, 2),
      number(memory?.[letter]?.nginx, 0),
      number(memory?.[letter]?.gate, 0),
    ]),
  )
}

/** CPU seconds per 100,000 requests, for each process. */
export function cpuTable(contenders: Contenders, { works }: Figures): string {
  const columns = (['hits', 'mixed', 'denies', 'misses'] as const).filter((work) => works[work] !== undefined)
  const parts = ['nginx', 'gate', 'backend'] as const
  // Hits do not ask the backend.
  const shown = columns.flatMap((work) =>
    parts
      .filter((part) => work !== 'hits' || part !== 'backend')
      .map((part): readonly [WorkName, (typeof parts)[number]] => [work, part]),
  )
  return table(
    ['', ...shown.map(([work, part]) => `${work}: ${part}`)],
    contenders.map(({ letter, name }) => [
      `${letter}. ${name}`,
      ...shown.map(([work, part]) => number(works[work]?.[letter]?.cpu[part], 2)),
    ]),
  )
}

/** The targets, and what was measured. */
export function targetTable(figures: Figures): string {
  const rows = judge(figures).map(({ figure, limit, value, unit, met }) => {
    const digits = Math.abs(value ?? 0) >= 20 ? 0 : 2
    const shown = value === undefined ? '–' : `${number(value, digits)}${unit}`
    return [figure, limit, shown, value === undefined ? 'not measured' : met ? 'yes' : 'NO']
  })
  return table(['', 'target', 'measured', 'met'], rows)
}
