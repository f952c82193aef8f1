import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Subrequest } from '../../src/subrequest.ts'
import {
  clientRequest,
  createPretendGate,
  type PretendGate,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'

/**
 * `rides`: allowed at once by the opener's session. `remembered`: the same, as the very request that opened
 * it.
 * `asked, …`: the backend was asked, with this verdict. `refused`: denied at once by a remembered deny.
 */
type Expected = 'rides' | 'remembered' | 'asked, allowed' | 'asked, denied' | 'refused'
/** The backend knows the tokens X and Y. */
type Row = readonly [opened: string, requested: string, expected: Expected]

async function expect(
  gate: PretendGate,
  request: Subrequest,
  expected: Expected,
  sessionId: string,
): Promise<void> {
  const before = gate.asked.length
  const decision = await gate.decide(request)
  const asked = gate.asked.length - before
  const seen = { verdict: decision.verdict, reason: decision.reason, asked }
  switch (expected) {
    case 'rides':
      assert.deepEqual(seen, { verdict: 'allow', reason: 'riding', asked: 0 })
      assert.equal(decision.sessionId, sessionId)
      break
    case 'remembered':
      assert.deepEqual(seen, { verdict: 'allow', reason: 'remembered', asked: 0 })
      assert.equal(decision.sessionId, sessionId)
      break
    case 'asked, allowed':
      assert.deepEqual(seen, { verdict: 'allow', reason: 'backend-200', asked: 1 })
      assert.notEqual(decision.sessionId, sessionId)
      break
    case 'asked, denied':
      assert.deepEqual(seen, { verdict: 'deny', reason: 'backend-403', asked: 1 })
      break
    case 'refused':
      assert.deepEqual(seen, { verdict: 'deny', reason: 'remembered', asked: 0 })
  }
}

/** @param between what happens after the opening and before the request */
function table(title: string, rows: readonly Row[], between: (gate: PretendGate) => void = () => {}): void {
  describe(title, () => {
    for (const [opened, requested, expected] of rows) {
      test(`${opened}, then ${requested}: ${expected}`, async () => {
        const gate = createPretendGate()
        gate.answers(tokens('X', 'Y'))
        const { verdict, sessionId } = await gate.decide(clientRequest(opened))
        assert.equal(verdict, 'allow')
        between(gate)
        await expect(gate, clientRequest(requested), expected, sessionId)
      })
    }
  })
}

const film = '/vod/film1.mp4?token=X'
const playlist = '/live/ch1/index.m3u8?token=X'

// test/session/riding-grid.test.ts has every place with every credential; here is what it does not spell.
table('without a credential, what the opener opens rides, and nothing else', [
  [playlist, '/live/ch1/seg1.ts?bitrate=500', 'rides'],
  [playlist, '/live/ch1/other.m3u8?_HLS_msn=7', 'rides'],
  ['/vod/film.ism/Manifest?token=X', '/vod/film.ism/QualityLevels(1)/Fragments(video=0)', 'rides'],
  [playlist, '/live/ch10/seg1.ts', 'asked, denied'],
  [playlist, '/', 'asked, denied'],
  ['/live/ch1/?token=X', '/live/ch1/seg1.ts', 'asked, denied'],
  [film, '/vod/film1.mp4?token=Y', 'asked, allowed'],
])

table('with a credential, only what is no playlist rides, and only with the very same query', [
  [playlist, '/live/ch1/seg1.ts?token=X&CMCD=br%3D1', 'rides'],
  ['/live/ch1/index.m3u8?a=1&token=X', '/live/ch1/seg1.ts?a=1&token=X', 'rides'],
  ['/live/ch1/index.m3u8?a=1&token=X', '/live/ch1/seg1.ts?token=X&a=1', 'asked, allowed'],
  [playlist, '/live/ch1/seg1.ts?token=Y', 'asked, allowed'],
  [playlist, '/live/ch1/seg1.ts?token=', 'asked, denied'],
  [playlist, '/live/ch1/seg1.ts?token', 'asked, denied'],
  [playlist, '/live/ch1/seg1.ts?to%6ben=Z', 'asked, denied'],
  [playlist, '/live/ch1/seg1.ts?token[]=X', 'asked, denied'],
  [playlist, '/live/ch1/seg1.ts?token=X&', 'asked, allowed'],
  [playlist, '/live/ch1/seg1.ts?token=X&a=1', 'asked, allowed'],
  [playlist, '/live/ch1/seg1.ts?token=bad&token=X', 'asked, allowed'],
  [playlist, '/live/ch1/seg1.ts?token=X&token=bad', 'asked, denied'],
  ['/live/ch1/index.m3u8?token=bad&token=X', '/live/ch1/seg1.ts?token=bad&token=X', 'rides'],
])

table('a playlist with a credential never rides', [
  [playlist, `${playlist}&_HLS_msn=9`, 'remembered'],
  [playlist, '/live/ch1/STREAM.MPD?token=X', 'asked, allowed'],
  [playlist, '/live/ch1/Manifest?token=X', 'asked, allowed'],
  [playlist, '/live/ch1/720p/index.m3u8?token=', 'asked, denied'],
])

table('a flat directory without CHANNEL_PATTERN opens its neighbours', [
  ['/live/ch1.m3u8?token=X', '/live/ch1-0001.ts', 'rides'],
  ['/live/ch1.m3u8?token=X', '/live/ch2-0001.ts', 'rides'],
  ['/live/ch1.m3u8?token=X', '/live/ch2.m3u8', 'rides'],
  ['/live/ch1.m3u8?token=X', '/live/ch2.m3u8?token=X', 'asked, allowed'],
  ['/live/ch1.m3u8?token=X', '/live/ch2.m3u8?token=Z', 'asked, denied'],
])

table(
  'ten minutes into a film the token has long expired at the backend',
  [
    [playlist, '/live/ch1/seg600.ts', 'rides'],
    [playlist, '/live/ch1/seg600.ts?token=X', 'rides'],
    [playlist, playlist, 'remembered'],
    [playlist, '/live/ch1/720p/index.m3u8?token=X', 'asked, denied'],
    [film, film, 'remembered'],
    [film, '/vod/film2.mp4?token=X', 'asked, denied'],
  ],
  (gate) => {
    gate.answers(tokens())
    // It plays all the time, so that the session does not end in silence. Another file tests re-checks.
    for (const { subrequest } of [...gate.asked]) {
      for (let minute = 0; minute < 10; minute++) {
        const session = gate.sessions.find(gate.identify(subrequest), gate.now())
        assert.ok(session)
        session.dueAt = Number.POSITIVE_INFINITY
        gate.pass(60_000)
      }
    }
  },
)

describe('who rides on what, with several sessions', () => {
  const open = async (gate: PretendGate, target: string): Promise<string> => {
    const { verdict, sessionId } = await gate.decide(clientRequest(target))
    assert.equal(verdict, 'allow')
    return sessionId
  }
  const ridesOn = (gate: PretendGate, target: string): string => {
    const decision = gate.decideAtOnce(clientRequest(target))
    assert.equal(decision.verdict, 'allow')
    assert.equal(decision.reason, 'riding')
    return decision.sessionId
  }

  test('a denied opener opens nothing', async () => {
    const gate = createPretendGate()
    await expect(gate, clientRequest('/live/ch1/index.m3u8?token=Z'), 'asked, denied', '')
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'asked, denied', '')
    await expect(gate, clientRequest('/live/ch1/seg1.ts?token=Z'), 'asked, denied', '')
    await expect(gate, clientRequest('/live/ch1/seg1.ts?token=Z'), 'refused', '')
  })

  test('riding comes before a remembered deny of the very same request', async () => {
    const gate = createPretendGate()
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'asked, denied', '')
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'refused', '')
    const id = await open(gate, playlist)
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'rides', id)
  })

  test('riding comes before a remembered deny of the default action', async () => {
    const gate = createPretendGate()
    gate.answers(unavailable)
    assert.equal((await gate.decide(clientRequest('/live/ch1/seg1.ts'))).source, 'default')
    gate.answers(tokens('X'))
    const id = await open(gate, playlist)
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'rides', id)
  })

  test('a deny of another credential ends no session', async () => {
    const gate = createPretendGate()
    const id = await open(gate, playlist)
    await expect(gate, clientRequest('/live/ch1/index.m3u8?token=Z'), 'asked, denied', '')
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'rides', id)
  })

  test('riding keeps a session alive', async () => {
    const gate = createPretendGate({ lifetimes: { allow: 'session' } })
    const id = await open(gate, playlist)
    for (let i = 0; i < 10; i++) {
      gate.pass(100_000)
      assert.equal(ridesOn(gate, '/live/ch1/seg1.ts'), id)
    }
    gate.pass(120_001)
    await expect(gate, clientRequest('/live/ch1/seg1.ts'), 'asked, denied', '')
  })
})
