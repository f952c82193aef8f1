import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { evening, type Load } from '../../bench/scale/audience.ts'
import { loadOf } from '../../bench/scale/load-of.ts'
import { createRandom } from '../../bench/scale/random.ts'
import { simulate } from '../../bench/scale/simulate.ts'

/** How far a simulation of 500 viewers may be from the formulas. */
const NEAR = 0.1

const cases = [
  { name: 'with the defaults', audience: {} },
  { name: 'with re-checks every five minutes', audience: { allow: 300 } },
  {
    name: 'without re-checks and without a limit',
    audience: { allow: Number.POSITIVE_INFINITY, isLimited: false },
  },
  { name: 'where people zap every two minutes', audience: { allow: 300, channel: 120 } },
]

describe('the formulas of docs/scale.md are what a simulation of single viewers comes to', () => {
  for (const { name, audience: more } of cases)
    test(name, () => {
      const audience = { ...evening, viewers: 500, ...more }
      const said = loadOf(audience)
      const seen = simulate(audience, { settle: 5_000, count: 2_500, random: createRandom(1) })
      for (const what of Object.keys(said) as (keyof Load)[]) {
        const [one, other] = [said[what], seen[what]]
        assert.ok(Math.abs(one - other) <= NEAR * one, `${what}: ${one} and ${other}`)
      }
    })
})
