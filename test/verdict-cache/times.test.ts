import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import type { GateQuestion } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { getVerdict } from '../support/http-get.ts'
import { startSite } from '../support/site.ts'
import { watchStalls } from '../support/stalls.ts'
import { createViewer } from '../support/viewer.ts'

const playlist: GateQuestion = { uri: '/live/index.m3u8?token=1' }
const segment: GateQuestion = { uri: '/live/1.ts' }
const film: GateQuestion = { uri: '/vod/a.mp4?token=1' }

/** Jitter lengthens the times of verdicts by a tenth at most. */
const JITTER = 1.1
/** Milliseconds between two requests of a viewer, and milliseconds that an answer may take. */
const EVERY = 50
const MARGIN = 250

interface Started {
  readonly backend: Backend
  readonly gate: Gate
  /** Seconds in X-Accel-Expires. For a deny that is never fresh it is `@1`, a time in the past. */
  expires(question: GateQuestion): Promise<number | '@1'>
  /** The same where it is a number of seconds. */
  seconds(question: GateQuestion): Promise<number>
}

async function start(t: TestContext, environment: Environment = {}): Promise<Started> {
  const backend = await startBackend(t)
  const gate = await startGate(t, { BACKEND_URL: backend.url, ...environment })
  const expires: Started['expires'] = async (question) => {
    const { headers } = await getVerdict({ port: gate.port }, question)
    const sent = String(headers['x-accel-expires'])
    assert.match(sent, /^(?:\d+|@1)$/)
    return sent === '@1' ? sent : Number(sent)
  }
  return {
    backend,
    gate,
    expires,
    async seconds(question) {
      const seconds = await expires(question)
      assert.ok(seconds !== '@1')
      return seconds
    },
  }
}

describe('X-Accel-Expires', () => {
  // nginx's clock has no fractions: a verdict of n seconds lasts up to n + 1 there.
  test('is a second less than NGINX_TTL, for a playlist, a segment that rides and a repeated playlist', async (t) => {
    const { expires } = await start(t, { NGINX_TTL: '4s' })
    for (const question of [playlist, segment, playlist]) assert.equal(await expires(question), 3)
  })

  test('is no longer where a session is never re-checked', async (t) => {
    const { expires } = await start(t, { ALLOW_TTL: 'session' })
    assert.equal(await expires(playlist), 9)
  })

  test('is never more than what is left of the verdict', async (t) => {
    const { backend, expires, seconds: secondsOf } = await start(t, { ALLOW_TTL: '4s' })
    await expires(playlist)
    const began = performance.now()
    // From now on the backend is silent: nothing renews the verdict.
    backend.answer = () => {}
    for (let seen = 1; performance.now() - began < 4_000 * JITTER; seen++) {
      const left = 4_000 * JITTER - (performance.now() - began)
      const seconds = await secondsOf(seen % 2 === 0 ? playlist : segment)
      assert.ok(seconds * 1_000 <= left, `${seconds} s, ${left} ms left`)
      if (seen === 1) assert.ok(seconds >= 1, `${seconds} s at the start`)
      await delay(100)
    }
    assert.equal(await expires(playlist), 0)
  })

  test('is never more than half of SESSION_IDLE: a viewer who is silent to the gate must not be dropped', async (t) => {
    for (const [idle, most] of [
      ['6s', 2],
      ['4s', 1],
      ['1s', 0],
    ] as const) {
      const { expires } = await start(t, { SESSION_IDLE: idle })
      assert.equal(await expires(playlist), most, idle)
    }
  })

  test('follows X-AuthDuration', async (t) => {
    const { backend, seconds: secondsOf } = await start(t)
    backend.answer = status(200, { 'X-AuthDuration': '5' })
    const seconds = await secondsOf(playlist)
    assert.ok(seconds >= 3 && seconds <= 4, `${seconds} s`)
  })

  test('is 0 for an allow that nginx must not repeat, and a past instant for such a deny', async (t) => {
    const { backend, expires } = await start(t)
    assert.equal(await expires(film), 0)
    assert.equal(await expires(film), 0)
    backend.answer = status(403)
    for (const uri of ['/a/1.ts', '/a/i.m3u8', '/a/1.ts?token=1', '/vod/b.mp4?token=1']) {
      assert.equal(await expires({ uri }), '@1', uri)
      assert.equal(await expires({ uri }), '@1', uri)
    }
    assert.equal(await expires({ address: 'nobody' }), 0)
  })

  test('of a deny is never more than DENY_TTL', async (t) => {
    const { backend, seconds: secondsOf } = await start(t, { DENY_TTL: '4s' })
    backend.answer = status(403)
    for (let again = 0; again < 2; again++) {
      const seconds = await secondsOf({ uri: '/a/i.m3u8?token=1' })
      assert.ok(seconds >= 2 && seconds <= 3, `${seconds} s`)
    }
  })

  for (const action of ['allow', 'deny']) {
    test(`of a default ${action} is never more than DEFAULT_TTL`, async (t) => {
      const {
        backend,
        expires,
        seconds: secondsOf,
      } = await start(t, { DEFAULT_ACTION: action, DEFAULT_TTL: '4s' })
      await backend.stop()
      for (let again = 0; again < 2; again++) {
        const seconds = await secondsOf(playlist)
        assert.ok(seconds >= 1 && seconds <= 3, `${seconds} s`)
      }
      assert.equal(await expires(film), 0)
    })
  }
})

describe('through nginx', { concurrency: true }, () => {
  /**
   * The longest of the times, in milliseconds, from the opening until a viewer is refused. Viewers begin at
   * every part of a second.
   */
  const longestUntilRefused = async (
    t: TestContext,
    environment: Environment,
    answer: Backend['answer'],
  ): Promise<number> => {
    const files = { '/live/index.m3u8': '#EXTM3U\n', '/live/1.ts': 'G' }
    const site = await startSite(t, { environment, nginx: { verdictCache: true, files } })
    const asked = new Map<string, number>()
    // For a second the questions about a viewer get this answer, then a deny: after a 503 the gate asks twice,
    // where the backend answers its control question.
    site.backend.answer = (question, response, incoming) => {
      const viewer = question.headers['X-Real-Ua'] ?? ''
      const first = asked.get(viewer) ?? performance.now()
      asked.set(viewer, first)
      if (performance.now() - first > 1_000) return void response.writeHead(403).end()
      answer(question, response, incoming)
    }
    const play = async (beginsAfter: number): Promise<number> => {
      const viewer = createViewer(t, site.nginx)
      await delay(beginsAfter)
      const began = performance.now()
      assert.equal(await viewer.get('/live/index.m3u8?token=1'), 200)
      while (performance.now() - began < 6_000) {
        if ((await viewer.get('/live/1.ts')) !== 200) return performance.now() - began
        await delay(EVERY)
      }
      return Number.POSITIVE_INFINITY
    }
    const times = await Promise.all(Array.from({ length: 20 }, (_, n) => play(n * 50)))
    t.diagnostic(`refused after ${times.map(Math.round).sort((a, b) => a - b)} ms`)
    return Math.max(...times)
  }

  test('a session that its re-check ended is refused when its time is over', async (t) => {
    const stalls = watchStalls()
    const environment = { ALLOW_TTL: '2s' }
    const longest = await longestUntilRefused(t, environment, status(200))
    assert.ok(longest <= 2_000 * JITTER + EVERY + MARGIN + stalls(), `${longest} ms`)
  })

  test('a default allow is not repeated when its time is over', async (t) => {
    const stalls = watchStalls()
    const environment = { DEFAULT_ACTION: 'allow', DEFAULT_TTL: '2s', UNAVAILABLE_STATUS: '503' }
    const longest = await longestUntilRefused(t, environment, status(503))
    assert.ok(longest <= 2_000 * JITTER + EVERY + MARGIN + stalls(), `${longest} ms`)
  })
})
