import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rounds } from '../support/rounds.ts'
import { playSharedHistory, sharedHistories, tellSharedHistory } from '../support/shared-history.ts'

/** To run other histories, and more: HISTORIES=10000 npm test -- test/limit/shared-histories.test.ts */
const { HISTORIES } = process.env
const RUNS =
  HISTORIES === undefined ? { numRuns: rounds(20, 60), seed: 20_261_128 } : { numRuns: Number(HISTORIES) }

test('whatever happens at gates that share a store, and to the store, two reports later no more than the number play, and all that play count', async () => {
  const property = fc.asyncProperty(sharedHistories, playSharedHistory)
  const result = await fc.check(property, { ...RUNS, endOnFailure: true })
  if (result.counterexample === null) return
  const { errorInstance, counterexample, seed, counterexamplePath } = result
  const told = tellSharedHistory(counterexample[0])
  assert.fail(`${errorInstance}\n${told}\nseed ${seed}, path ${counterexamplePath}`)
})
