import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureThroughput } from '../../bench/measure-throughput.ts'

/** A regression fails each of these rounds. A busy machine hardly fails all. */
const ATTEMPTS = 3

/** Half of what `npm run bench` is meant to show, as ratios within one run: [a, b, at least]. */
const guards: Readonly<Record<string, readonly (readonly [one: string, other: string, least: number])[]>> = {
  hits: [
    ['h', 'n', 0.42],
    ['i', 'c', 0.55],
    ['i', 'd', 0.47],
  ],
  misses: [['h', 'm', 0.3]],
}

for (const work of ['hits', 'misses'] as const) {
  const ratios = guards[work] ?? []
  test(`${work} cost no more than twice what they should`, async (t) => {
    const contenders = [...new Set(ratios.flatMap(([one, other]) => [one, other] as const))]
    for (let attempt = 1; ; attempt++) {
      const perSecond = await measureThroughput({ contenders, work, rounds: 2, seconds: 1 })
      const measured = ratios.map(([one, other, least]) => {
        const ratio = (perSecond[one] ?? 0) / (perSecond[other] ?? Number.NaN)
        return { what: `${one} ÷ ${other} = ${ratio.toFixed(2)}, at least ${least}`, kept: ratio >= least }
      })
      for (const { what } of measured) t.diagnostic(what)
      const broken = measured.filter(({ kept }) => !kept)
      if (broken.length === 0) return
      if (attempt === ATTEMPTS) assert.fail(broken.map(({ what }) => what).join('; '))
    }
  })
}
