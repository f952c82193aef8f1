import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Breaker, type BreakerState, createBreaker } from '../../src/backend/breaker.ts'
import { createPretendBackend, elsewhere } from '../support/pretend-backend.ts'

interface Pretend {
  readonly breaker: Breaker
  pass(milliseconds: number): void
  /** So many failures of one client of each of these networks in turn. */
  fail(failures: number, networks: number): void
  kind(): BreakerState['kind']
}

function createPretend(): Pretend {
  let now = 1_000
  const breaker = createBreaker(() => now)
  return {
    breaker,
    pass(milliseconds) {
      now += milliseconds
    },
    fail(failures, networks) {
      for (let n = 0; n < failures; n++) {
        const network = `10.${n % networks}`
        breaker.failed({ network, client: `${network}.0.1` })
      }
    },
    kind: () => breaker.state().kind,
  }
}

function createOpen(): Pretend {
  const pretend = createPretend()
  pretend.fail(10, 3)
  assert.equal(pretend.kind(), 'open')
  return pretend
}

describe('a breaker opens', () => {
  for (const [failures, networks, kind] of [
    [10, 3, 'open'],
    [9, 9, 'closed'],
    [10, 2, 'closed'],
    [10_000, 1, 'closed'],
  ] as const)
    test(`after ${failures} failures of ${networks} networks: ${kind}`, () => {
      const pretend = createPretend()
      pretend.fail(failures, networks)
      assert.equal(pretend.kind(), kind)
      assert.equal(pretend.breaker.admits(), kind === 'closed')
    })

  test('not for the clients of one network, however many', () => {
    const { breaker, kind } = createPretend()
    for (let n = 0; n < 1_000; n++) breaker.failed({ network: 'one', client: `${n}` })
    assert.equal(kind(), 'closed')
  })

  test('only after failures in a row: an answer forgets those before it', () => {
    const { breaker, fail, kind } = createPretend()
    fail(9, 9)
    breaker.succeeded()
    fail(9, 9)
    assert.equal(kind(), 'closed')
    fail(1, 1)
    assert.equal(kind(), 'open')
  })

  test('only after failures within ten seconds', () => {
    const { pass, fail, kind } = createPretend()
    fail(9, 3)
    pass(10_000)
    fail(9, 3)
    assert.equal(kind(), 'closed')
    pass(9_999)
    fail(1, 1)
    assert.equal(kind(), 'open')
  })

  test('by no more than five failures of one client', () => {
    const { breaker, kind } = createPretend()
    for (let n = 0; n < 10_000; n++) breaker.failed({ network: 'one', client: 'one' })
    for (let n = 1; n <= 4; n++) breaker.failed({ network: `${n}`, client: `${n}` })
    assert.equal(kind(), 'closed')
    breaker.failed({ network: '5', client: '5' })
    assert.equal(kind(), 'open')
  })
})

describe('an open breaker', () => {
  test('lets one question a second through, and no other', () => {
    const { breaker, pass, fail, kind } = createOpen()
    let tries = 0
    for (let passed = 0; passed < 20_000; passed += 10) {
      pass(10)
      if (!breaker.admits()) continue
      tries++
      assert.equal(kind(), 'half-open')
      assert.equal(breaker.wouldAdmit(), false, 'a second one at the same moment')
      fail(1, 1)
      assert.equal(kind(), 'open')
    }
    assert.equal(tries, 20)
  })

  test('tries again when a try never comes back', () => {
    const { breaker, pass } = createOpen()
    pass(1_000)
    assert.equal(breaker.admits(), true)
    pass(1_000)
    assert.equal(breaker.admits(), true)
  })

  test('lets the next one go at once where a try proved nothing, and only then', () => {
    const { breaker, pass } = createOpen()
    breaker.undecided()
    assert.equal(breaker.admits(), false, 'an old question is no try')
    pass(1_000)
    breaker.admits()
    breaker.undecided()
    assert.equal(breaker.admits(), true)
  })

  test('closes on the first answer, and says how long it was open', () => {
    const { breaker, pass, fail, kind } = createOpen()
    const before = breaker.state()
    pass(1_000)
    breaker.admits()
    fail(1, 1)
    const after = breaker.state()
    assert.ok(before.kind === 'open' && after.kind === 'open' && after.since === before.since)
    breaker.succeeded()
    for (let n = 0; n < 100; n++) assert.equal(breaker.admits(), true)
    fail(9, 9)
    assert.equal(kind(), 'closed')
  })
})

describe('what counts as a failure', () => {
  for (const [what, act, kind] of [
    ['silence', 'silent', 'open'],
    ['a reset', 'reset', 'open'],
    ['a deny', { status: 403, took: 1 }, 'closed'],
    ['a status of UNAVAILABLE_STATUS, which is a sign of life', { status: 502, took: 1 }, 'closed'],
  ] as const)
    test(`${what}: ${kind}`, async () => {
      const { acts, come, backend } = createPretendBackend()
      acts(() => act)
      await come(12, 10, (n) => ['x', elsewhere(n)])
      assert.equal(backend.state().breaker, kind)
    })
})
