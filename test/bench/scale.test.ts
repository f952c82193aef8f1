import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { evening, type Load } from '../../bench/scale/audience.ts'
import { loadOf } from '../../bench/scale/load-of.ts'
import { createRandom } from '../../bench/scale/random.ts'
import { simulate } from '../../bench/scale/simulate.ts'

/** How far a simulation of 500 viewers may be from the formulas. */
const NEAR = 0.1

const cases = [
  { name: 'with the defaults', walked: 100_000, audience: {} },
  {
    name: 'with re-checks every five minutes, in a full installation',
    walked: 500_000,
    audience: { allow: 300 },
  },
  {
    name: 'without re-checks and without a limit',
    walked: 500_000,
    audience: { allow: Number.POSITIVE_INFINITY, isLimited: false },
  },
  { name: 'where people zap every two minutes', walked: 100_000, audience: { allow: 300, channel: 120 } },
]

describe('the formulas of docs/scale.md are what a simulation of single viewers comes to', () => {
  for (const { name, walked, audience: more } of cases)
    test(name, () => {
      const audience = { ...evening, viewers: 500, ...more }
      const said = loadOf(audience, walked)
      const seen = simulate(audience, { walked, settle: 5_000, count: 2_500, random: createRandom(1) })
      for (const what of Object.keys(said) as (keyof Load)[]) {
        const [one, other] = [said[what], seen[what]]
        assert.ok(Math.abs(one - other) <= NEAR * one, `${what}: ${one} and ${other}`)
      }
    })
})

test('where more channels end than the walk can see, the formulas promise no memory', () => {
  assert.equal(loadOf({ ...evening, viewers: 2_000_000 }).records, Number.POSITIVE_INFINITY)
})
