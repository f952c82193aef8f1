import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Session } from '../../src/session/session.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  settled,
  unavailable,
} from '../support/pretend-gate.ts'

const IDLE = 120_000
/** Milliseconds from one segment of a player to the next. */
const EVERY = 6_000

/**
 * Two people behind one address with the same player, each with a token of their own. `revoked` tokens are
 * denied from now on.
 */
function startHouse(options = {}) {
  const gate = createPretendGate({ idle: IDLE, ...options })
  const revoked = new Set<string>()
  gate.answers(({ query }) => {
    const token = new URLSearchParams(query).get('token') ?? ''
    return token === '' || revoked.has(token) ? deny() : allow()
  })
  const open = (token: string, path = '/live/one/index.m3u8') =>
    gate.decide(clientRequest(`${path}?token=${token}`))
  const play = async (milliseconds: number, path = '/live/one/1.ts'): Promise<Set<string>> => {
    const seen = new Set<string>()
    for (const end = gate.now() + milliseconds; gate.now() < end; gate.pass(EVERY)) {
      const { verdict, reason } = await gate.decide(clientRequest(path))
      gate.sessions.sweep(gate.now())
      gate.provisional.sweep(gate.now())
      await settled()
      seen.add(`${verdict} ${reason}`)
    }
    return seen
  }
  const held = (): Session[] => [...gate.sessions.all()]
  return { gate, revoked, open, play, held }
}

describe("the end of a neighbour's session", () => {
  test('does not cut the one who pays on, in the same channel', async () => {
    const { revoked, open, play } = startHouse()
    await open('payer')
    await open('neighbour')
    await play(2 * IDLE)
    revoked.add('neighbour')
    assert.deepEqual([...(await play(2 * IDLE))], ['allow riding'])
  })

  test('does not cut the one who pays on, where the neighbour has opened a directory above', async () => {
    const { revoked, open, play } = startHouse()
    await open('payer')
    await open('neighbour', '/live/index.m3u8')
    await play(2 * IDLE)
    revoked.add('neighbour')
    assert.deepEqual([...(await play(2 * IDLE))], ['allow riding'])
  })

  test('does not cut one whom the default action let in, and a backend allows later', async () => {
    const { gate, revoked, open, play } = startHouse({ defaultAction: 'allow' })
    await open('neighbour')
    gate.answers(unavailable)
    await open('payer')
    await play(2 * IDLE)
    assert.equal(gate.provisional.count(), 1)
    gate.answers(({ query }) => (query === 'token=payer' ? allow() : deny()))
    revoked.add('neighbour')
    const seen = await play(2 * IDLE)
    assert.ok(
      [...seen].every((one) => one.startsWith('allow')),
      [...seen].join(),
    )
  })

  test('cuts when nobody else pays, and lets nobody ride on another channel', async () => {
    const { revoked, open, play } = startHouse()
    await open('payer', '/live/two/index.m3u8')
    await open('neighbour')
    await play(2 * IDLE)
    revoked.add('neighbour')
    const seen = await play(2 * IDLE)
    assert.ok(seen.has('deny backend-403'), [...seen].join())
  })
})

describe('a ride counts for the most recent session, and keeps the others', () => {
  test('from idling, and no more than that: no request, no time of the last one, no re-check', async () => {
    const { gate, open, play, held } = startHouse()
    await open('payer')
    await open('neighbour')
    const [neighbour, payer] = held()
    assert.ok(neighbour && payer)
    await play(IDLE + 2 * EVERY)
    assert.deepEqual([payer.requests, payer.lastSeen, payer.ended], [1, 0, false])
    assert.ok(neighbour.requests > 10 && neighbour.lastSeen > IDLE)
    const rechecked = gate.asked.slice(2).map(({ subrequest }) => subrequest.query)
    assert.deepEqual([...new Set(rechecked)], ['token=neighbour'])
  })

  test('only where it covers the request', async () => {
    const { gate, open, play, held } = startHouse()
    await open('elsewhere', '/live/two/index.m3u8')
    await open('film', '/live/one/film.mp4')
    await open('payer')
    await play(IDLE + 2 * EVERY)
    assert.deepEqual(
      held().map(({ query }) => query),
      ['token=payer'],
    )
    assert.equal(gate.sessions.count(), 1)
  })

  test('only with a credential that it may ride with', async () => {
    const { open, play, held } = startHouse()
    await open('a')
    await open('b')
    await play(IDLE + 2 * EVERY, '/live/one/1.ts?token=b')
    assert.deepEqual(
      held().map(({ query }) => query),
      ['token=b'],
    )
  })

  test('of 200 neighbours in one channel each is kept, too', async () => {
    const { gate, open, play } = startHouse({ lifetimes: { allow: 'session' } })
    for (let n = 0; n < 200; n++) await open(`t${n}`)
    await play(3 * IDLE)
    assert.equal(gate.sessions.count(), 200)
  })
})

test('a ride looks at few of a thousand neighbours, and at all of them once in a while', async () => {
  const { gate, open } = startHouse({ lifetimes: { allow: 'session' } })
  for (let n = 0; n < 1_000; n++) await open(`t${n}`)
  const ride = async (): Promise<number> => {
    gate.pass(1_000)
    await gate.decide(clientRequest('/live/one/1.ts'))
    return [...gate.sessions.all()].filter(({ activeAt }) => activeAt === gate.now()).length
  }
  const kept: number[] = []
  for (let n = 0; n < 20; n++) kept.push(await ride())
  assert.deepEqual(
    kept.filter((count) => count !== 33),
    [1_000, 1_000, 1_000],
  )
})

describe('a viewer who plays', () => {
  test('is not evicted by a neighbour who opens two thousand sessions of other channels', async () => {
    const { gate, open } = startHouse({ lifetimes: { allow: 'session' } })
    const { sessionId } = await open('payer')
    for (let n = 0; n < 2_000; n++) {
      await open('neighbour', `/live/${n}/index.m3u8`)
      gate.pass(50)
      if (n % 100 === 0) {
        const decision = await gate.decide(clientRequest('/live/one/1.ts'))
        assert.deepEqual([decision.reason, decision.sessionId], ['riding', sessionId], `after ${n}`)
      }
    }
    assert.equal(gate.sessions.count(), 1_000)
  })
})
