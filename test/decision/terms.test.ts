import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTerms } from '../../src/decision/terms.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { newSessionId, Session } from '../../src/session/session.ts'
import { clientRequest } from '../support/pretend-gate.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const SESSIONS = 20_000
/** A player asks again so long after its session is due, at most; milliseconds. */
const GAP = 5 * SECOND

const opener = clientRequest('/live/one/index.m3u8?token=X')
const patterns = { channelPattern: undefined, credentialPattern: undefined }
const identity = createIdentify({ tokenParams: ['token'], ignoredParams: [], ...patterns })(opener)
const scope = createScopeOf(patterns)(identity)

const open = (now = 0): Session => new Session(identity, opener, newSessionId(), now, scope)

function createTermsOf(allow: number | 'session') {
  return createTerms(
    { allow, deny: 5 * SECOND, stale: HOUR, default: 2 * SECOND, resume: 0 },
    Math.random,
    () => {},
  )
}

/** How long each of the first terms of a session lasts, in milliseconds. */
function termsOf(allow: number | 'session', authDuration: string | undefined, rounds: number): number[] {
  const terms = createTermsOf(allow)
  const grant = authDuration === undefined ? {} : { authDuration }
  const session = open()
  let now = 0
  terms.begin(session, grant, 'b', now)
  return Array.from({ length: rounds }, () => {
    const lasted = session.dueAt - now
    now = session.dueAt + Math.floor(Math.random() * GAP)
    terms.renew(session, grant, 'b', now)
    return lasted
  })
}

describe('the terms of a session', () => {
  for (const [what, allow, sent, length] of [
    ['ALLOW_TTL=20s', 20 * SECOND, undefined, 20 * SECOND],
    ['ALLOW_TTL=1m', MINUTE, undefined, MINUTE],
    ['ALLOW_TTL=10m', 10 * MINUTE, undefined, 10 * MINUTE],
    ['ALLOW_TTL=1h', HOUR, undefined, HOUR],
    ['ALLOW_TTL=30d', 720 * HOUR, undefined, 720 * HOUR],
    ['X-AuthDuration: 60', HOUR, '60', MINUTE],
    ['X-AuthDuration: 36000', MINUTE, '36000', 10 * HOUR],
  ] as const) {
    test(`${what}: the first is ±10 %, none is longer, and the third ends one term after the second`, () => {
      for (let n = 0; n < 500; n++) {
        const [first = 0, second = 0, ...later] = termsOf(allow, sent, 5)
        const within = Math.min(length, 10 * MINUTE)
        assert.ok(first >= 0.9 * length && first <= 1.1 * length, `${first} ms`)
        assert.ok(second > length - 0.9 * within - 1 && second <= length + 0.1 * within, `${second} ms`)
        for (const one of later) assert.ok(one > length - GAP && one <= length, `${one} ms`)
      }
    })
  }

  for (const sent of ['86400', '604800', '9'.repeat(400)])
    test(`X-AuthDuration: ${sent.slice(0, 6)}, ${sent.length} digits: never longer than a day`, () => {
      for (let n = 0; n < 500; n++)
        for (const one of termsOf(MINUTE, sent, 4))
          assert.ok(one > 21 * HOUR && one <= 24 * HOUR, `${one} ms`)
    })

  test('ALLOW_TTL=session has none', () => {
    const terms = createTermsOf('session')
    const session = open()
    terms.begin(session, { authDuration: '10' }, 'b', 0)
    assert.equal(session.dueAt, Number.POSITIVE_INFINITY)
    terms.renew(session, { authDuration: '10' }, 'b', 1)
    assert.equal(session.dueAt, Number.POSITIVE_INFINITY)
  })
})

describe('sessions that are re-checked in the same moment', () => {
  for (const [what, allow, sent] of [
    ['ALLOW_TTL=1m', MINUTE, undefined],
    ['X-AuthDuration: 60', HOUR, '60'],
  ] as const) {
    test(`${what}: their next re-checks fall evenly into a term`, () => {
      const terms = createTermsOf(allow)
      const now = 123_456_789
      const inSecond = new Array<number>(60).fill(0)
      for (let n = 0; n < SESSIONS; n++) {
        const session = open(now)
        terms.renew(session, sent === undefined ? {} : { authDuration: sent }, 'b', now)
        const second = Math.floor((session.dueAt - now - 6 * SECOND - 1) / SECOND)
        inSecond[second] = (inSecond[second] ?? 0) + 1
      }
      const mean = SESSIONS / 60
      // Seven standard deviations.
      for (const count of inSecond) assert.ok(Math.abs(count - mean) < 7 * Math.sqrt(mean), `${inSecond}`)
    })
  }
})
