import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createConcurrency } from '../../src/backend/breaker.ts'

/** How many questions may be under way, on a pretend clock. */
function createPretend(most = 64) {
  let now = 1_000
  const concurrency = createConcurrency({ most, quick: 500, clock: () => now })
  return {
    ...concurrency,
    limit: () => concurrency.places().limit,
    lent: () => concurrency.places().lent,
    now: () => now,
    pass(milliseconds: number) {
      now += milliseconds
    },
  }
}

describe('how many questions may be under way', () => {
  test('as many as BACKEND_CONCURRENCY says, at first', () => assert.equal(createPretend(64).limit(), 64))

  test('half as many after a timeout', () => {
    const { limit, timedOut, now } = createPretend()
    timedOut(now())
    assert.equal(limit(), 32)
  })

  test('half as many once for all questions that went out before', () => {
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

  test('one more with each answer, up to BACKEND_CONCURRENCY', () => {
    const { limit, timedOut, answered, now } = createPretend()
    timedOut(now())
    for (let n = 1; n <= 32; n++) {
      answered(100)
      assert.equal(limit(), 32 + n)
    }
    answered(100)
    assert.equal(limit(), 64)
  })

  test('four after an outage', () => {
    const { limit, restart, answered } = createPretend()
    restart()
    assert.equal(limit(), 4)
    answered(100)
    assert.equal(limit(), 5)
  })

  test('what a group may borrow is earned by quick answers, halved by a slow one, and gone with a timeout', () => {
    const { lent, answered, lendNothing } = createPretend()
    assert.equal(lent(), 0)
    for (let n = 1; n <= 100; n++) {
      answered(499)
      assert.equal(lent(), Math.min(n, 64))
    }
    answered(500)
    assert.equal(lent(), 32)
    lendNothing()
    assert.equal(lent(), 0)
  })
})
