import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPutOutSessions } from '../../src/limit/give-way.ts'
import { limitedSessionOf } from '../../src/limit/limited-session.ts'
import { createRefusedUsers } from '../../src/limit/refused-users.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import { createLimitedGate } from '../support/limited-gate.ts'
import { clientRequest, createPretendGate } from '../support/pretend-gate.ts'

const { identify } = createPretendGate()
const scopeOf = createScopeOf({ channelPattern: undefined, credentialPattern: undefined })

function sessionOf(userAgent: string, query: string) {
  const request = clientRequest(`/live/news/index.m3u8?token=${query}`, { userAgent })
  const identity = identify(request)
  return { identity, session: new Session(identity, request, userAgent, 0, scopeOf(identity)) }
}

describe('what is kept of sessions that were put out', () => {
  for (const [what, length, isKnown] of [
    ['5,000 as players send them', 32, true],
    ['5,000 with 8 KB of query each: the last are known', 8_000, false],
  ] as const)
    test(`${what}`, () => {
      const putOut = createPutOutSessions(300_000)
      const all = Array.from({ length: 5_000 }, (_, n) => sessionOf(`box ${n}`, `${n}`.padEnd(length, 'x')))
      for (const { session, identity } of all)
        putOut.add({ session, limited: limitedSessionOf(session, identity), user: '42', by: '', at: 0 })
      const finds = (one: (typeof all)[number] | undefined): boolean =>
        one !== undefined && putOut.find(one.identity, 1, false) !== undefined
      assert.equal(finds(all[0]), isKnown)
      assert.equal(finds(all.at(-1)), true)
    })

  test('a text of the client’s is kept as a hash or a copy, however long it is', () => {
    const { session, identity } = sessionOf('x'.repeat(2_000), 'y'.repeat(8_000))
    const { id, viewer, ...texts } = limitedSessionOf(session, identity)
    assert.ok(JSON.stringify(texts).length < 250)
  })
})

describe('a shared name', () => {
  test('is one that was put out at more than ten networks within a minute: told once, listed, and no more', () => {
    const users = createRefusedUsers()
    const told = Array.from({ length: 30 }, (_, n) => users.displaced('guest', `192.0.${n}.1`, n * 1_000))
    assert.equal(told.indexOf(true), 10)
    assert.equal(told.filter(Boolean).length, 1)
    const home = Array.from({ length: 30 }, (_, n) => users.displaced('home', `2001:db8:1:${n}::/64`, n))
    assert.ok(!home.includes(true))
    assert.deepEqual(
      users.list(30_000, 9).map(({ user, displaced, isShared }) => [user, displaced, isShared]),
      [
        ['guest', 30, true],
        ['home', 30, false],
      ],
    )
  })
})

test('users are looked at in their time, and forgotten when nothing is left of them', async () => {
  const gate = createLimitedGate()
  for (let n = 0; n < 300; n++) {
    gate.grants({ userId: `u${n}`, maxSessions: '1' })
    await gate.viewer(`box-${n}`).open('news', `good-${n}`)
  }
  assert.equal(gate.limit?.count(), 300)
  // Idle after two minutes, and swept; then one walk through all.
  gate.pass(135_000)
  assert.equal(gate.limit?.count(), 0)
})
