import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCookieIndex, type Elsewhere } from '../../src/session/cookie-index.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { newSessionId, Session, secretOf } from '../../src/session/session.ts'
import { clientRequest, createPretendGate } from '../support/pretend-gate.ts'

const { identify } = createPretendGate()
const scopeOf = createScopeOf({ channelPattern: undefined, credentialPattern: undefined })
const HOME = '192.0.2.1'
const AWAY = '198.51.100.7'
const HOME6 = '2001:db8:0:1::/64'
const SECOND = 1_000
const MINUTE = 60 * SECOND

function sessionOf(cookie: string, now = 0): Session {
  const subrequest = clientRequest('/live/one/index.m3u8?token=X', { address: HOME })
  const identity = identify(subrequest)
  const session = new Session(identity, subrequest, newSessionId(), now, scopeOf(identity))
  session.secret = secretOf(cookie === '' ? [] : [cookie], false, '', now)
  return session
}

/** An index with a session of the cookie `c`, opened at HOME at 0. */
function createIndex() {
  const index = createCookieIndex()
  const session = sessionOf('c')
  index.putLast(session)
  /** It is sent from a client every so often, both times included. What was told, without nothing. */
  const sent = (clients: readonly string[], from: number, to: number, every = 6 * SECOND) => {
    const told: (Elsewhere & { readonly at: number })[] = []
    for (let at = from; at <= to; at += every)
      for (const client of clients) {
        const one = index.sentFrom('c', client, at)
        if (one !== undefined) told.push({ ...one, at })
      }
    return told
  }
  const shared = (told: readonly Elsewhere[]) => told.filter((one) => one.sharedWith !== undefined)
  return { index, session, sent, shared }
}

describe('the sessions of a cookie', () => {
  test('are those that have it, the one that was put last is last', () => {
    const index = createCookieIndex()
    const [a, b, other, none] = [sessionOf('c'), sessionOf('c'), sessionOf('d'), sessionOf('')]
    for (const session of [a, b, other, none]) index.putLast(session)
    assert.deepEqual(index.of('c'), [a, b])
    index.putLast(a)
    assert.deepEqual(index.of('c'), [b, a])
    assert.deepEqual(index.of('d'), [other])
    assert.deepEqual(index.of(''), [])
    assert.deepEqual(index.of('unknown'), [])
  })

  test('are a list that stays as it was when somebody walks through it', () => {
    const { index, session } = createIndex()
    const before = index.of('c')
    index.putLast(sessionOf('c'))
    index.remove(session)
    assert.deepEqual(before, [session])
  })

  test('are none when the last one has gone, and then nothing is known of it', () => {
    const { index, session } = createIndex()
    index.remove(session)
    index.remove(session)
    assert.deepEqual(index.of('c'), [])
    assert.equal(index.sentFrom('c', AWAY, 0), undefined)
  })
})

describe('where a cookie is sent from', () => {
  test('nothing is told while it is where it was', () => {
    const { sent } = createIndex()
    assert.deepEqual(sent([HOME], 0, 10 * MINUTE), [])
  })

  test('a move is told once, and once more on the way back after a while', () => {
    const { sent } = createIndex()
    assert.deepEqual(sent([HOME], 0, MINUTE), [])
    assert.deepEqual(sent([AWAY], MINUTE + SECOND, 10 * MINUTE), [{ isNew: true, at: MINUTE + SECOND }])
    assert.deepEqual(sent([HOME], 11 * MINUTE, 20 * MINUTE), [{ isNew: true, at: 11 * MINUTE }])
  })

  test('two of one family at once for more than a minute are told once', () => {
    const { sent, shared } = createIndex()
    assert.deepEqual(sent([HOME], 0, 5 * MINUTE), [])
    const told = sent([HOME, AWAY], 5 * MINUTE, 30 * MINUTE)
    assert.deepEqual(told[0], { isNew: true, at: 5 * MINUTE })
    assert.equal(told.length, 2)
    const [one] = shared(told)
    assert.equal(one?.sharedWith, HOME)
    const after = (told[1]?.at ?? 0) - 5 * MINUTE
    assert.ok(after > MINUTE && after <= MINUTE + 12 * SECOND, `after ${after} ms`)
  })

  test('up to a minute at once is a move', () => {
    const { sent, shared } = createIndex()
    sent([HOME], 0, 5 * MINUTE)
    assert.deepEqual(shared(sent([HOME, AWAY], 5 * MINUTE, 6 * MINUTE)), [])
    assert.deepEqual(shared(sent([AWAY], 6 * MINUTE, 20 * MINUTE)), [])
  })

  test('one IPv4 and one IPv6 are one client, for as long as they like', () => {
    const { sent, shared } = createIndex()
    assert.deepEqual(sent([HOME, HOME6], 0, 60 * MINUTE), [{ isNew: true, at: 0 }])
    // Another IPv6 is not.
    assert.equal(shared(sent([HOME, HOME6, '2001:db8:9:9::/64'], 60 * MINUTE, 70 * MINUTE)).length, 1)
  })

  test('who goes to and fro with breaks of more than 30 s is one client', () => {
    const { sent, shared } = createIndex()
    for (let n = 0; n < 60; n++) {
      const from = n * 2 * MINUTE
      assert.deepEqual(shared(sent([HOME], from, from + 45 * SECOND)), [])
      assert.deepEqual(shared(sent([AWAY], from + MINUTE, from + MINUTE + 45 * SECOND)), [])
    }
  })

  test('a silence of 30 s is no break, a longer one is', () => {
    for (const [every, count] of [
      [30 * SECOND, 1],
      [30 * SECOND + 1, 0],
    ] as const) {
      const { sent, shared } = createIndex()
      assert.equal(shared(sent([HOME, AWAY], 0, 20 * MINUTE, every)).length, count, `every ${every} ms`)
    }
  })

  test('eight places are remembered of it, the newest ones', () => {
    const { index } = createIndex()
    const client = (n: number) => `192.0.2.${n}`
    for (let n = 1; n <= 9; n++) index.sentFrom('c', client(n), n)
    for (let n = 2; n <= 9; n++) assert.equal(index.sentFrom('c', client(n), 20), undefined, client(n))
    assert.deepEqual(index.sentFrom('c', client(1), 30), { isNew: true })
    assert.deepEqual(index.sentFrom('c', client(2), 40), { isNew: true }, 'it had to go for the first one')
    assert.equal(index.sentFrom('c', client(9), 50), undefined)
  })

  test('a cookie that a thousand clients send is told as new each time, and as shared once at most', () => {
    const { index } = createIndex()
    let shared = 0
    for (let at = 0; at < 5 * MINUTE; at += 100) {
      const told = index.sentFrom('c', `10.0.${(at / 100) % 250}.${(at / 100) % 4}`, at)
      if (told?.sharedWith !== undefined) shared++
    }
    assert.ok(shared <= 1)
  })

  test('each cookie is told for itself', () => {
    const { index, sent, shared } = createIndex()
    index.putLast(sessionOf('d'))
    assert.equal(shared(sent([HOME, AWAY], 0, 5 * MINUTE)).length, 1)
    assert.deepEqual(index.sentFrom('d', AWAY, 5 * MINUTE), { isNew: true })
    assert.equal(index.sentFrom('d', AWAY, 5 * MINUTE), undefined)
  })
})
