import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAsk } from '../../src/backend/ask-backends.ts'
import type { GuardedAsk } from '../../src/backend/backend.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { questionAbout } from '../support/question-about.ts'

/** The time that the second backend of two is given when the first has taken so long; milliseconds. */
async function budgetAfter(took: number, timeout = 2_000): Promise<number | undefined> {
  let now = 0
  const budgets: number[] = []
  const silent: GuardedAsk = async (_question, budget) => {
    budgets.push(budget)
    now += took
    return { kind: 'unavailable', backend: 'b', reason: 'timeout' }
  }
  await createAsk({ mode: 'failover', backends: [silent, silent], timeout, clock: () => now })(
    questionAbout(clientRequest('/a')),
  )
  return budgets[1]
}

describe('the second backend of two', () => {
  for (const [took, budget] of [
    [0, 2_000],
    [1_000, 1_000],
    [1_980, 200],
    [1_999, 200],
    [2_000, 200],
    [5_000, 200],
  ] as const) {
    test(`has ${budget} ms of 2 s when the first took ${took} ms`, async () =>
      assert.equal(await budgetAfter(took), budget))
  }

  test('has never more than its share for it', async () => assert.equal(await budgetAfter(299, 300), 150))
})
