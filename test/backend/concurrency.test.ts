import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createConcurrency } from '../../src/backend/concurrency.ts'

/** How many questions may be under way, on a pretend clock. */
function createPretend(most = 64) {
  let now = 1_000
  const concurrency = createConcurrency(most, () => now)
  return {
    ...concurrency,
    now: () => now,
    pass(milliseconds: number) {
      now += milliseconds
    },
    answer(times: number) {
      for (let n = 0; n < times; n++) concurrency.answered()
    },
  }
}

describe('how many questions may be under way', () => {
  test('as many as BACKEND_CONCURRENCY says, at first', () => assert.equal(createPretend(64).limit(), 64))

  test('half as many after a timeout, once for all questions that went out before', () => {
    const { limit, timedOut, now, pass } = createPretend()
    const began = now()
    pass(2_000)
    for (let n = 0; n < 64; n++) timedOut(began)
    assert.equal(limit(), 32)
    pass(2_000)
    timedOut(now() - 2_000)
    assert.equal(limit(), 16)
  })

  test('never less than four', () => {
    const { limit, timedOut, now, pass } = createPretend()
    for (let n = 0; n < 20; n++) {
      pass(1)
      timedOut(now())
    }
    assert.equal(limit(), 4)
  })

  test('one more for each round of answers, up to BACKEND_CONCURRENCY', () => {
    const { limit, timedOut, answer, now } = createPretend()
    timedOut(now())
    answer(32)
    assert.equal(limit(), 32)
    answer(1)
    assert.equal(limit(), 33)
    answer(2_000)
    assert.equal(limit(), 64)
  })

  test('four after an outage, and one more with each answer', () => {
    const { limit, restart, answer } = createPretend()
    restart()
    assert.equal(limit(), 4)
    answer(10)
    assert.equal(limit(), 14)
  })
})
