import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPulse } from '../../src/admin/pulse.ts'
import { createTally } from '../../src/metrics/tally.ts'
import type { Decision, Outcome } from '../../src/verdict.ts'

const allow: Outcome = { kind: 'allow', backend: 'b', grant: {} }
const unavailable = (reason: 'timeout' | 'breaker' | 'overload' | 'internal'): Outcome => ({
  kind: 'unavailable',
  backend: 'b',
  reason,
})

function decision(
  verdict: Decision['verdict'],
  source: Decision['source'],
  reason: Decision['reason'],
): Decision {
  return { verdict, source, reason, sessionId: '', userId: '', holdsFor: 0, cacheable: false }
}

function create(backends = 1) {
  let now = 1_000_000
  const tally = createTally()
  const pulse = createPulse({ tally, backends, clock: () => now })
  return {
    tally,
    pulse,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
  }
}

describe('the pulse', () => {
  test('turns counters into rates of the second that has passed', () => {
    const { tally, pulse, pass } = create()
    tally.answered(decision('allow', 'session', 'riding'))
    pulse.look()
    for (let n = 0; n < 40; n++) tally.answered(decision('allow', 'session', 'riding'))
    tally.answered(decision('allow', 'session', 'remembered'))
    tally.answered(decision('deny', 'backend', 'backend-404'))
    tally.answered(decision('deny', 'backend', 'backend-403'))
    tally.refused()
    pass(1000)
    assert.deepEqual(pulse.look().rates, {
      allow: { backend: 0, session: 41, stale: 0, default: 0, gate: 0 },
      deny: { backend: 2, session: 0, stale: 0, default: 0, gate: 1 },
    })
    pass(1000)
    assert.equal(pulse.look().rates.allow.session, 0)
  })

  test('a look that comes late tells of a second all the same', () => {
    const { tally, pulse, pass } = create()
    pulse.look()
    for (let n = 0; n < 100; n++) tally.answered(decision('allow', 'session', 'riding'))
    pass(4000)
    assert.equal(pulse.look().rates.allow.session, 25)
  })

  test('what happened while nobody looked is no rate', () => {
    const { tally, pulse, pass } = create()
    pulse.look()
    pass(3_600_000)
    for (let n = 0; n < 100_000; n++) tally.answered(decision('allow', 'session', 'riding'))
    for (let n = 0; n < 100_000; n++) pulse.asked(0, allow, 5)
    const { rates, backends } = pulse.look()
    assert.equal(rates.allow.session, 0)
    assert.equal(backends[0]?.perSecond, 0)
    pass(1000)
    assert.equal(pulse.look().rates.allow.session, 0)
  })

  test('tells the times of the last minute of each backend, null for one that was not asked', () => {
    const { pulse, pass } = create(2)
    pulse.asked(0, allow, 9_000)
    pass(30_000)
    pulse.look()
    for (let took = 1; took <= 99; took++) pulse.asked(0, allow, took)
    pass(1_000)
    assert.deepEqual(pulse.look().backends, [
      { p50: 50, p99: 99, perSecond: 99 },
      { p50: null, p99: null, perSecond: 0 },
    ])
    pulse.asked(1, unavailable('timeout'), 2_000)
    pass(29_001)
    assert.deepEqual(pulse.look().backends, [
      { p50: 50, p99: 99, perSecond: 0 },
      { p50: 2_000, p99: 2_000, perSecond: 0 },
    ])
    pass(60_000)
    assert.deepEqual(pulse.look().backends[0], { p50: null, p99: null, perSecond: 0 })
  })

  test('questions that did not go out have no time', () => {
    const { pulse, pass } = create()
    pulse.look()
    for (const reason of ['breaker', 'overload', 'internal'] as const) pulse.asked(0, unavailable(reason), 1)
    pass(1000)
    assert.deepEqual(pulse.look().backends, [{ p50: null, p99: null, perSecond: 0 }])
  })

  test('a million questions a minute take no more memory than the latest four thousand', () => {
    const { pulse, pass } = create()
    pulse.look()
    for (let n = 0; n < 1_000_000; n++) pulse.asked(0, allow, n < 990_000 ? 1 : 7)
    pass(1000)
    assert.deepEqual(pulse.look().backends, [{ p50: 7, p99: 7, perSecond: 1_000_000 }])
  })
})
