import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { historiesOf, nothingShown, playHistory, tellHistory } from '../support/limit-history.ts'
import { rounds } from '../support/rounds.ts'

/** To run other histories, and more: HISTORIES=100000 npm test -- test/limit/histories.test.ts */
const { HISTORIES } = process.env
const RUNS = Number(HISTORIES ?? rounds(250, 800))
const SEED = HISTORIES === undefined ? { seed: 20_261_202 } : {}
/** Which part of all runs each policy has, for each number. */
const parts = { newest: 1 / 4, refuse: 1 / 12 }

describe('in any history no more than the number go on, a free place is refused to nobody, nobody is cut by the zap of another, only who was just put out is held, who is silent goes first, and nothing is left', () => {
  for (const max of [1, 2, 3])
    for (const policy of ['newest', 'refuse'] as const)
      test(`N=${max}, ${policy}`, (t) => {
        const shown = nothingShown()
        const numRuns = Math.ceil(RUNS * parts[policy])
        const property = fc.property(historiesOf(max, policy), (history) => playHistory(history, shown))
        const result = fc.check(property, { numRuns, ...SEED })
        if (result.counterexample !== null) {
          const { errorInstance, counterexample, seed, counterexamplePath } = result
          const told = tellHistory(counterexample[0])
          assert.fail(`${errorInstance}\n${told}\nseed ${seed}, path ${counterexamplePath}`)
        }
        t.diagnostic(`${numRuns} histories: ${JSON.stringify(shown)}`)
        const least = (each: number) => each * numRuns
        assert.ok(shown.steps > least(100) && shown.openings > least(40) && shown.looks > least(30))
        assert.ok(shown.displaced > least(5) && shown.calmZaps > least(1) && shown.silentFirst > least(1 / 4))
        if (policy === 'refuse') assert.ok(shown.full > least(1))
        else assert.ok(shown.held > least(1) && shown.mustHold > least(1 / 2) && shown.fights > least(1 / 20))
      })
})
