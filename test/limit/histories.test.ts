import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { histories, nothingShown, playHistory, tellHistory } from '../support/limit-history.ts'

/** To run other histories, and more: HISTORIES=100000 npm test -- test/limit/histories.test.ts */
const { HISTORIES } = process.env
const RUNS = HISTORIES === undefined ? { numRuns: 1_000, seed: 20_261_128 } : { numRuns: Number(HISTORIES) }

test('in any history: never more plays than the number go on, a free place is refused to nobody, a zap only where the same URL or player and channel was just displaced, and nothing is left', (t) => {
  const shown = nothingShown()
  const property = fc.property(histories, (history) => playHistory(history, shown))
  const { counterexample, errorInstance, seed, counterexamplePath } = fc.check(property, RUNS)
  if (counterexample !== null)
    assert.fail(
      `${errorInstance}\n${tellHistory(counterexample[0])}\nseed ${seed}, path ${counterexamplePath}`,
    )
  t.diagnostic(JSON.stringify(shown))
  const { numRuns } = RUNS
  assert.ok(shown.steps > 100 * numRuns && shown.zaps > 30 * numRuns && shown.looks > 30 * numRuns)
  assert.ok(shown.displaced > 5 * numRuns && shown.heldZaps > numRuns / 2 && shown.full > numRuns)
})
