import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'
import { facts, held, opened, opener, play, rider, topicOf } from '../support/pretend-viewer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('ALLOW_TTL', () => {
  test('before it is over nobody is asked', async () => {
    const { gate, id } = await opened()
    gate.pass(MINUTE - 1)
    for (const request of [opener, rider]) {
      const decision = gate.decideAtOnce(request)
      assert.equal(decision.source, 'session')
      assert.equal(decision.sessionId, id)
      assert.equal(decision.holdsFor, 1)
    }
    assert.equal(gate.asked.length, 1)
  })

  test('after it the viewer is answered at once, while the backend still thinks about the opener', async () => {
    const { gate, id } = await opened()
    const answer = held(gate)
    gate.pass(MINUTE)
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow session riding')
    assert.equal(gate.asked.length, 2)
    assert.deepEqual(topicOf(gate.asked[1]), { subrequest: opener, sessionId: id })
    assert.equal(facts(gate.decideAtOnce(opener)), 'allow session remembered')
    await answer(allow())
    assert.deepEqual(
      gate.made.map(({ occasion }) => occasion),
      ['question', 're-check'],
    )
  })

  test('a re-check asks with every part of the request that opened the session, whoever rides', async () => {
    const gate = createPretendGate({ channelPattern: /^\/live\/([^/.-]+)/ })
    const who = {
      address: '2001:db8::1',
      origin: 'http://tv.example.com:8080',
      userAgent: 'AppleCoreMedia/1.0 (Apple TV; U)',
      playbackId: '7D5F-01',
    }
    const first = clientRequest('/live/ch1.m3u8?CMCD=br%3D1&token=X&_HLS_msn=7', who)
    const { sessionId } = await gate.decide(first)
    gate.pass(MINUTE)
    gate.decideAtOnce(clientRequest('/live/ch1-0001.ts?CMCD=br%3D9', who))
    assert.deepEqual(topicOf(gate.asked[1]), { subrequest: first, sessionId })
  })

  test('one session has one re-check at a time', async () => {
    const { gate } = await opened()
    const answer = held(gate)
    gate.pass(MINUTE)
    for (let i = 0; i < 20; i++) {
      gate.decideAtOnce(rider)
      gate.pass(100)
    }
    assert.equal(gate.asked.length, 2)
    await answer(allow())
    gate.decideAtOnce(rider)
    assert.equal(gate.asked.length, 2)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    assert.equal(gate.asked.length, 3)
  })

  test('a playing session is re-checked once in each, always with the same id', async () => {
    const { gate, id } = await opened()
    await play(gate, 10 * MINUTE)
    assert.equal(gate.asked.length, 11)
    for (const { subrequest, sessionId } of gate.asked)
      assert.deepEqual([subrequest, sessionId], [opener, id])
  })

  test('a denied re-check ends the session, and the next request is judged by itself', async () => {
    const { gate, id } = await opened()
    gate.answers(deny)
    gate.pass(MINUTE)
    assert.equal(gate.decideAtOnce(rider).verdict, 'allow')
    await settled()
    assert.equal(gate.sessions.count(), 0)
    const next = await gate.decide(rider)
    assert.equal(facts(next), 'deny backend backend-403')
    assert.notEqual(next.sessionId, id)
    assert.deepEqual(gate.asked.at(-1)?.subrequest, rider)
  })

  test('a denied re-check is remembered as a deny of the opener', async () => {
    const { gate } = await opened()
    gate.answers(deny)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(facts(gate.decideAtOnce(opener)), 'deny session remembered')
    assert.equal(gate.asked.length, 2)
  })

  test('a denied re-check ends no other session of the viewer', async () => {
    const { gate } = await opened()
    const other = clientRequest('/live/ch2/index.m3u8?token=X')
    gate.pass(MINUTE / 2)
    const { sessionId } = await gate.decide(other)
    gate.answers(deny)
    gate.pass(MINUTE / 2)
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(gate.decideAtOnce(clientRequest('/live/ch2/seg1.ts')).sessionId, sessionId)
  })

  test('`session` never re-checks, whatever duration the backend sends', async () => {
    const gate = createPretendGate({ lifetimes: { allow: 'session' } })
    gate.answers(() => allow('10'))
    await gate.decide(opener)
    gate.answers(deny)
    assert.equal(facts(await play(gate, 24 * HOUR, MINUTE)), 'allow session riding')
    assert.equal(gate.asked.length, 1)
  })

  for (const [random, ttl] of [
    [0, 54_000],
    [1, 66_000],
  ] as const) {
    test(`chance at ${random} makes a minute ${ttl / 1000} s`, async () => {
      const { gate } = await opened({ random: () => random })
      gate.pass(ttl - 1)
      gate.decideAtOnce(rider)
      assert.equal(gate.asked.length, 1)
      gate.pass(2)
      gate.decideAtOnce(rider)
      assert.equal(gate.asked.length, 2)
    })
  }
})

describe('X-AuthDuration', () => {
  test('a re-check brings a duration of its own', async () => {
    const gate = createPretendGate()
    gate.answers(() => allow('10'))
    await gate.decide(opener)
    gate.answers(() => allow('300'))
    await play(gate, 10_000)
    assert.equal(gate.asked.length, 2)
    await play(gate, 29_000)
    assert.equal(gate.asked.length, 2)
    await play(gate, 301_000)
    assert.equal(gate.asked.length, 3)
    gate.answers(() => allow())
    while (gate.asked.length === 3) await play(gate, 1000)
    await play(gate, 10 * MINUTE)
    assert.equal(gate.asked.length, 14)
  })
})

describe('DENY_TTL', () => {
  const bad = clientRequest('/live/ch1/index.m3u8?token=Z')

  test('a deny is remembered until it is over, with its id', async () => {
    const gate = createPretendGate()
    const first = await gate.decide(bad)
    gate.pass(4999)
    const again = gate.decideAtOnce(bad)
    assert.equal(facts(again), 'deny session remembered')
    assert.equal(again.sessionId, first.sessionId)
    gate.pass(1)
    assert.equal(facts(await gate.decide(bad)), 'deny backend backend-403')
    assert.equal(gate.asked.length, 2)
  })

  for (const [what, other] of [
    ['another address', { ...bad, address: '192.0.2.2' }],
    ['another User-Agent', { ...bad, userAgent: 'mpv' }],
    ['another playback id', { ...bad, playbackId: '1' }],
    ['another origin', { ...bad, origin: 'http://live.example.com' }],
    ['another path', { ...bad, path: '/live/ch1/other.m3u8' }],
    ['another query', { ...bad, query: 'token=Z&a=1' }],
    ['no query', { ...bad, query: '' }],
  ] as const) {
    test(`it counts for exactly its own key, not for ${what}`, async () => {
      const gate = createPretendGate()
      await gate.decide(bad)
      await gate.decide(other)
      assert.equal(gate.asked.length, 2)
    })
  }

  for (const [random, ttl] of [
    [0, 4500],
    [1, 5500],
  ] as const) {
    test(`chance at ${random} makes five seconds ${ttl} ms`, async () => {
      const gate = createPretendGate({ random: () => random })
      await gate.decide(bad)
      gate.pass(ttl - 1)
      gate.decideAtOnce(bad)
      gate.pass(2)
      await gate.decide(bad)
      assert.equal(gate.asked.length, 2)
    })
  }

  for (const defaultAction of ['allow', 'deny'] as const) {
    test(`known denied stays denied for 60 s of an outage, then DEFAULT_ACTION=${defaultAction} counts`, async () => {
      const gate = createPretendGate({ defaultAction })
      const first = await gate.decide(bad)
      gate.answers(unavailable)
      for (let i = 0; i < 64; i++) {
        gate.pass(1000)
        const decision = await gate.decide(bad)
        assert.equal(decision.verdict, 'deny')
        assert.equal(decision.source, i < 4 ? 'session' : 'stale')
        assert.equal(decision.sessionId, first.sessionId)
      }
      gate.pass(999)
      assert.equal(facts(await gate.decide(bad)), 'deny stale unavailable-timeout')
      gate.pass(1)
      assert.equal(facts(await gate.decide(bad)), `${defaultAction} default unavailable-timeout`)
    })
  }

  test('a backend that changes its mind is believed once the deny is over', async () => {
    const gate = createPretendGate()
    await gate.decide(bad)
    gate.answers(() => allow())
    gate.pass(5000)
    assert.equal((await gate.decide(bad)).verdict, 'allow')
    assert.equal(gate.denials.count(), 0)
  })
})

describe('SESSION_IDLE and session ids', () => {
  test('silence ends a session, and the next one has a new id', async () => {
    const { gate, id } = await opened({ lifetimes: { allow: 'session' } })
    gate.pass(119_999)
    assert.equal(gate.decideAtOnce(opener).sessionId, id)
    gate.pass(120_001)
    const next = await gate.decide(opener)
    assert.equal(next.source, 'backend')
    assert.notEqual(next.sessionId, id)
  })

  test('silence ends a provisional session', async () => {
    const gate = createPretendGate({ defaultAction: 'allow' })
    gate.answers(unavailable)
    await gate.decide(opener)
    gate.answers(tokens('X'))
    gate.pass(120_001)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('a background re-check is no sign of life', async () => {
    const { gate } = await opened()
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    const answer = held(gate)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    gate.pass(MINUTE)
    await answer(allow())
    gate.answers(tokens('X'))
    gate.pass(MINUTE + 1)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('a session that was closed is followed by one with a new id', async () => {
    const { gate, id } = await opened()
    const session = gate.sessions.find(gate.identify(opener), gate.now())
    assert.ok(session)
    gate.sessions.end(session, 'closed')
    assert.notEqual((await gate.decide(opener)).sessionId, id)
  })

  test('every session and every question has an id of 128 bits that nobody else has', async () => {
    const gate = createPretendGate()
    const ids = new Set<string>()
    for (let i = 0; i < 5000; i++) {
      const query = i % 2 === 0 ? 'token=X' : 'token=Z'
      const { sessionId } = await gate.decide({ ...opener, query, userAgent: `viewer ${i}` })
      assert.match(sessionId, /^[A-Za-z0-9_-]{22}$/)
      assert.equal(Buffer.from(sessionId, 'base64url').length, 16)
      ids.add(sessionId)
    }
    assert.equal(ids.size, 5000)
    assert.deepEqual(new Set(gate.asked.map(({ sessionId }) => sessionId)), ids)
    // No place in an id has a meaning: each bit is set in half of the ids, and changes from one id to the
    // next half of the time.
    const bits = [...ids].map((id) =>
      [...Buffer.from(id, 'base64url')].flatMap((byte) => [...byte.toString(2).padStart(8, '0')]),
    )
    for (let at = 0; at < 128; at++) {
      const set = bits.filter((one) => one[at] === '1').length
      const turned = bits.filter((one, n) => one[at] !== bits[n + 1]?.[at]).length
      for (const count of [set, turned])
        assert.ok(Math.abs(count - 2500) < 300, `bit ${at}: ${count} of 5000`)
    }
  })
})
