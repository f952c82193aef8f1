import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CookieWatch } from '../../src/session/see.ts'
import { createCookieViewer } from '../support/cookie-viewer.ts'
import { createLimitedGate, type LimitedGate } from '../support/limited-gate.ts'

const OPENING = '/live/one/index.m3u8?token=good'
const [HOME, AWAY, HOME6] = ['192.0.2.1', '198.51.100.7', '2001:db8::1']

interface Told {
  readonly moved: string[]
  readonly shared: string[]
  missed: number
}

function createGate(maxSessions?: string): { gate: LimitedGate; told: Told } {
  const told: Told = { moved: [], shared: [], missed: 0 }
  const onCookie: CookieWatch = {
    moved: ({ address }, from) => void told.moved.push(`${from} ${address}`),
    shared: (_sessions, clients) => void told.shared.push(clients.join(' ')),
    missed: () => void told.missed++,
  }
  const gate = createLimitedGate({ onCookie })
  gate.grants(maxSessions === undefined ? {} : { userId: '42', maxSessions })
  return { gate, told }
}

describe('where a session cookie is sent from', () => {
  test('a change of address is told once; the newest address goes into re-checks', async () => {
    const { gate, told } = createGate()
    const viewer = createCookieViewer(gate)
    await viewer.get(OPENING)
    for (const address of [HOME, AWAY, AWAY]) await viewer.get('/live/one/1.ts', address)
    assert.deepEqual(told.moved, [`${HOME} ${AWAY}`])
    const [session] = [...gate.sessions.all()]
    assert.equal(session?.opener().address, AWAY)
    // Who changes between the two families all the time is told twice at most.
    for (let n = 0; n < 20; n++) {
      gate.pass(1_000)
      await viewer.get('/live/one/1.ts', n % 2 === 0 ? AWAY : HOME6)
    }
    assert.equal(told.moved.length, 2)
    assert.deepEqual(told.shared, [])
  })

  test('a privacy address of the same /64 is no change, also without a cookie', async () => {
    const { gate, told } = createGate()
    const viewer = createCookieViewer(gate, 'on', '2001:db8:0:1::a')
    await viewer.get(OPENING)
    viewer.cookie = undefined
    assert.equal(await viewer.get('/live/one/1.ts', '2001:db8:0:1::b'), 'allow riding')
    assert.equal(await viewer.get('/live/one/1.ts', '2001:db8:0:2::b'), 'deny backend-403')
    assert.deepEqual(told.moved, [])
  })

  test('who rides without the cookie is told once for each session', async () => {
    const { gate, told } = createGate()
    const viewer = createCookieViewer(gate)
    await viewer.get(OPENING)
    viewer.cookie = undefined
    for (let n = 0; n < 3; n++) assert.equal(await viewer.get('/live/one/1.ts'), 'allow riding')
    assert.equal(told.missed, 1)
  })
})

describe('where the number of a user counts', () => {
  test('who goes from one address to another, and back, stays one play', async () => {
    const { gate } = createGate('1')
    const viewer = createCookieViewer(gate)
    await viewer.get(OPENING)
    for (const address of [AWAY, HOME, HOME6, AWAY])
      for (let second = 0; second < 15; second++) {
        gate.pass(1_000)
        assert.match(await viewer.get('/live/one/1.ts', address), /^allow/, `${address} ${second}`)
      }
    assert.equal(gate.sessions.count(), 1)
  })

  const play = async (gate: LimitedGate, seconds: number): Promise<Record<string, Set<string>>> => {
    const viewer = createCookieViewer(gate)
    await viewer.get(OPENING)
    const seen: Record<string, Set<string>> = { [HOME]: new Set(), [AWAY]: new Set() }
    for (let second = 0; second < seconds; second++) {
      gate.pass(1_000)
      const address = second % 2 === 0 ? HOME : AWAY
      const answer = await viewer.get('/live/one/1.ts', address)
      // A move takes some seconds.
      if (second > 20) seen[address]?.add(answer)
    }
    return seen
  }

  test('a second place is refused where there is room for one, and the first goes on', async () => {
    const { gate } = createGate('1')
    const seen = await play(gate, 60)
    assert.deepEqual([...(seen[AWAY] ?? [])], ['deny session-limit'])
    assert.deepEqual([...(seen[HOME] ?? [])], ['allow riding'])
  })

  test('a second place is a play of its own where there is room for two', async () => {
    const { gate } = createGate('2')
    const seen = await play(gate, 60)
    for (const answers of Object.values(seen)) assert.deepEqual([...answers], ['allow riding'])
    assert.equal(gate.sessions.count(), 2)
    const other = gate.viewer('other', '203.0.113.1')
    assert.equal(await other.open('one'), 'allow backend-200')
    gate.pass(1_000)
    assert.equal(gate.sessions.count(), 2, 'the second place gives way to a credential')
  })

  test('without a number both places play on one session', async () => {
    const { gate } = createGate()
    const seen = await play(gate, 60)
    for (const answers of Object.values(seen)) assert.deepEqual([...answers], ['allow riding'])
    assert.equal(gate.sessions.count(), 1)
  })

  test('when the first place has gone the second goes on with its session', async () => {
    const { gate } = createGate('1')
    const viewer = createCookieViewer(gate)
    await viewer.get(OPENING)
    for (let second = 0; second < 30; second++) {
      gate.pass(1_000)
      await viewer.get('/live/one/1.ts', second % 2 === 0 ? HOME : AWAY)
    }
    assert.equal(await viewer.get('/live/one/1.ts', AWAY), 'deny session-limit')
    // It tries again and again meanwhile.
    for (let second = 0; second < 28; second++) {
      gate.pass(1_000)
      assert.equal(await viewer.get('/live/one/1.ts', AWAY), 'deny session-limit')
    }
    gate.pass(3_000)
    assert.equal(await viewer.get('/live/one/1.ts', AWAY), 'allow riding')
  })
})
