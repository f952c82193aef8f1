import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nobody } from '../../src/limit/user.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import { createDisplacedSessions } from '../../src/users/displaced-sessions.ts'
import { limitedSessionOf } from '../../src/users/limited-session.ts'
import { startRounds } from '../../src/users/rounds.ts'
import { createUserTable } from '../../src/users/user-table.ts'
import { clientRequest, createPretendGate } from '../support/pretend-gate.ts'
import { createPretendTime } from '../support/pretend-time.ts'

const { identify } = createPretendGate()
const scopeOf = createScopeOf({ channelPattern: undefined, credentialPattern: undefined })

function sessionOf(userAgent: string, query: string) {
  const request = clientRequest(`/live/news/index.m3u8?token=${query}`, { userAgent })
  const identity = identify(request)
  return { identity, session: new Session(identity, request, userAgent, 0, scopeOf(identity)) }
}

describe('what is kept of displaced sessions', () => {
  for (const [what, length, isKnown] of [
    ['5,000 as players send them', 32, true],
    ['5,000 with 8 KB of query each: the last are known', 8_000, false],
  ] as const)
    test(`${what}`, () => {
      const displaced = createDisplacedSessions(300_000)
      const all = Array.from({ length: 5_000 }, (_, n) => sessionOf(`box ${n}`, `${n}`.padEnd(length, 'x')))
      for (const { session, identity } of all)
        displaced.add({ session, limited: limitedSessionOf(session, identity), user: '42' }, 0)
      const finds = (one: (typeof all)[number] | undefined): boolean =>
        one !== undefined && displaced.find(one.identity, 1) !== undefined
      assert.equal(finds(all[0]), isKnown)
      assert.equal(finds(all.at(-1)), true)
    })

  test('a text of the client’s is kept as a hash or a copy, however long it is', () => {
    const { session, identity } = sessionOf('x'.repeat(2_000), 'y'.repeat(8_000))
    const { id, viewer, ...texts } = limitedSessionOf(session, identity)
    assert.ok(JSON.stringify(texts).length < 250)
  })
})

test('all users are looked at in their time, a few in each turn, while some come and go', async () => {
  const time = createPretendTime()
  const users = createUserTable()
  const crowded = new Set(Array.from({ length: 20 }, (_, n) => users.getOrAdd(`crowded ${n}`)))
  for (let n = 0; n < 6_000; n++) users.getOrAdd(`user ${n}`)
  const looks = new Map<string, number>()
  let turn = 0
  let most = 0
  const stop = startRounds({
    ...{ users, crowded, report: 5_000, every: 60_000 },
    after: (milliseconds, act) =>
      time.after(milliseconds, () => {
        turn = 0
        act()
        most = Math.max(most, turn)
      }),
    look(known) {
      turn++
      looks.set(known.key, (looks.get(known.key) ?? 0) + 1)
      if (known.key === 'user 17') users.delete('user 17')
      assert.equal(known.user, nobody)
    },
  })
  await time.pass(62_000)
  for (let n = 0; n < 6_000; n++) assert.ok(looks.has(`user ${n}`), `${n}`)
  for (const { key } of crowded) assert.ok((looks.get(key) ?? 0) >= 11, key)
  assert.ok(most <= 14, `${most} in one turn`)
  stop()
  assert.equal(time.set(), 0)
})

for (const count of [1, 3])
  test(`${count} crowded of ${count} are each looked at once in every report`, async () => {
    const time = createPretendTime()
    const users = createUserTable()
    const crowded = new Set(Array.from({ length: count }, (_, n) => users.getOrAdd(`user ${n}`)))
    const looks = new Map<string, number>()
    startRounds({
      ...{ users, crowded, report: 30_000, every: 60_000, after: time.after },
      look: ({ key }) => void looks.set(key, (looks.get(key) ?? 0) + 1),
    })
    await time.pass(301_000)
    assert.deepEqual(
      [...looks.values()],
      Array.from({ length: count }, () => 10),
    )
  })

test('those who are crowded no more after a look do not make the others wait', async () => {
  const time = createPretendTime()
  const users = createUserTable()
  const crowded = new Set(Array.from({ length: 1_000 }, (_, n) => users.getOrAdd(`user ${n}`)))
  startRounds({
    ...{ users, crowded, report: 30_000, every: 60_000, after: time.after },
    look: (known) => void crowded.delete(known),
  })
  await time.pass(30_100)
  assert.equal(crowded.size, 0)
})
