import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemory } from '../../src/service/create-memory.ts'
import { createScopeOf } from '../../src/session/scope.ts'
import { Session } from '../../src/session/session.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import { allow, clientRequest, createPretendGate, settled, unavailable } from '../support/pretend-gate.ts'

const KILOBYTE = 1024
const long = (token: string, bytes = 8 * KILOBYTE): string => `token=${token}&x=${'x'.repeat(bytes)}`
const viewer = (n: number) => ({ address: `192.0.2.${n}` })

function sessionOf(request: Subrequest): Session {
  const identity = createPretendGate().identify(request)
  const scopeOf = createScopeOf({ channelPattern: undefined, credentialPattern: undefined })
  return new Session(identity, request, 'id', 0, scopeOf(identity))
}

describe('the memory of sessions is bounded in bytes:', () => {
  test('past the bound the least recently used one is evicted, and a viewer who plays stays', async () => {
    const gate = createPretendGate({ maxBytes: 100 * KILOBYTE })
    gate.answers(() => allow())
    await gate.decide(clientRequest('/live/one/index.m3u8?token=1', viewer(1)))
    await gate.decide(clientRequest('/live/one/index.m3u8?token=1', viewer(2)))
    for (let n = 0; n < 50; n++) {
      gate.pass(1_000)
      await gate.decide(
        clientRequest('/live/one/index.m3u8', { query: long(`${n}`), userAgent: `attacker ${n}` }),
      )
      assert.equal(gate.decideAtOnce(clientRequest('/live/one/1.ts', viewer(1))).reason, 'riding')
      assert.ok(gate.sessions.bytes() <= 100 * KILOBYTE)
    }
    assert.ok(gate.sessions.count() > 8 && gate.sessions.count() < 14, `${gate.sessions.count()} sessions`)
    gate.answers(unavailable)
    assert.equal((await gate.decide(clientRequest('/live/one/1.ts', viewer(2)))).verdict, 'deny')
  })

  test('a session that is larger than the bound is held alone', async () => {
    const gate = createPretendGate({ maxBytes: KILOBYTE })
    gate.answers(() => allow())
    for (let n = 0; n < 3; n++)
      await gate.decide(clientRequest('/live/one/index.m3u8', { query: long(`${n}`) }))
    assert.equal(gate.sessions.count(), 1)
    assert.equal(gate.decideAtOnce(clientRequest('/live/one/1.ts')).reason, 'riding')
  })

  test('what ends gives its bytes back, whatever was learned of it meanwhile', async () => {
    const gate = createPretendGate({ defaultAction: 'allow', lifetimes: { allow: 1_000 } })
    gate.answers(unavailable)
    await gate.decide(clientRequest('/live/one/index.m3u8', { query: long('1') }))
    assert.ok(gate.provisional.bytes() > 8 * KILOBYTE)
    gate.answers(() => ({ kind: 'allow', backend: 'pretend', grant: { userId: 'u'.repeat(128) } }))
    gate.pass(3_000)
    gate.decideAtOnce(clientRequest('/live/one/1.ts'))
    await settled()
    assert.equal(gate.provisional.bytes(), 0)
    assert.ok(gate.sessions.bytes() > 8 * KILOBYTE)
    gate.sessions.sweep(Number.MAX_SAFE_INTEGER)
    assert.deepEqual([gate.sessions.count(), gate.sessions.bytes()], [0, 0])
  })

  test('viewers whom the default action lets in have a fifth of SESSION_MEMORY, and push out no allowed one', () => {
    const none = { onOpened() {}, onEnded() {} }
    const settings = { maxSessions: 1_000, sessionMemory: 1_000 * KILOBYTE, sessionIdle: 120_000 }
    const memory = createMemory(settings, none)
    memory.sessions.open(sessionOf(clientRequest('/live/one/index.m3u8?token=1')), 0)
    for (let n = 0; n < 200; n++) {
      const request = clientRequest('/live/one/index.m3u8', { query: long(`${n}`), userAgent: `${n}` })
      memory.provisional.open(sessionOf(request), n)
    }
    const { live, provisional } = memory.heldBytes
    assert.deepEqual([live.limit, provisional.limit], [800 * KILOBYTE, 200 * KILOBYTE])
    assert.ok(provisional.count() <= provisional.limit && provisional.count() > 180 * KILOBYTE)
    assert.equal(memory.sessions.count(), 1)
  })
})

describe('the bytes of a session', () => {
  test('count all of its texts', () => {
    const plain = sessionOf(clientRequest('/live/one/index.m3u8?token=1')).bytes
    for (const more of [
      { query: `token=1${'x'.repeat(1_000)}` },
      { path: `/live/one/${'x'.repeat(1_000)}index.m3u8` },
      { userAgent: `VLC/3.0.21${'x'.repeat(1_000)}` },
      { playbackId: 'x'.repeat(1_000) },
    ])
      assert.equal(
        sessionOf({ ...clientRequest('/live/one/index.m3u8?token=1'), ...more }).bytes,
        plain + 1_000,
      )
  })

  for (const [sent, canonical, isOneText] of [
    ['token=1&a=2', 'token=1&a=2', true],
    ['token=1&a=2&_HLS_msn=1', 'token=1&a=2', true],
    ['_HLS_msn=1&token=1&a=2', 'token=1&a=2', true],
    ['token=1&_HLS_msn=1&a=2', 'token=1&a=2', false],
  ] as const)
    test(`${isOneText ? 'count' : 'do not count'} ${sent} and what tells it apart as one text`, () => {
      const session = sessionOf(clientRequest('/live/one/index.m3u8', { query: sent }))
      assert.deepEqual([session.sentQuery, session.query], [sent, canonical])
      const one = sessionOf(clientRequest('/live/one/index.m3u8', { query: 'x'.repeat(sent.length) }))
      assert.equal(session.bytes, one.bytes + (isOneText ? 0 : canonical.length))
    })
})
