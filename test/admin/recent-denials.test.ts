import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRecentDenials } from '../../src/admin/recent-denials.ts'
import type { DecisionMade } from '../../src/decision/decide.ts'

const NOON = Date.parse('2026-11-24T12:00:00.000Z')

function made(path: string, verdict: 'allow' | 'deny' = 'deny'): DecisionMade {
  return {
    subrequest: {
      address: '192.0.2.1',
      origin: 'http://live.example.com',
      path,
      query: 'token=secret',
      userAgent: 'VLC',
      playbackId: '',
    },
    decision: {
      verdict,
      source: 'backend',
      reason: 'backend-403',
      sessionId: 'id',
      userId: '',
      holdsFor: 5000,
      cacheable: true,
    },
    backend: 'http://backend',
    occasion: 'question',
    took: 3,
  }
}

function create() {
  let told = 0
  const recent = createRecentDenials({
    maskPath: (path) => path,
    wallClock: () => NOON,
    onDenied: () => void told++,
  })
  return { recent, told: () => told }
}

describe('the recent denials', () => {
  test('hold what was denied, and nothing that was allowed', () => {
    const { recent, told } = create()
    recent.made(made('/a', 'allow'))
    assert.deepEqual([recent.list(), recent.latest(), told()], [[], 0, 0])
    recent.made(made('/b'))
    recent.refused('control bytes in the path')
    assert.equal(told(), 2)
    const [unread, denied] = recent.list()
    assert.deepEqual(denied, {
      denial: 1,
      time: '2026-11-24T12:00:00.000Z',
      address: '192.0.2.1',
      origin: 'http://live.example.com',
      path: '/b',
      userAgent: 'VLC',
      source: 'backend',
      reason: 'backend-403',
      why: 'the backend answers 403, and only 200 allows',
      session: 'id',
    })
    assert.deepEqual(unread, {
      denial: 2,
      time: '2026-11-24T12:00:00.000Z',
      address: '',
      origin: '',
      path: '',
      userAgent: '',
      source: 'gate',
      reason: 'bad-request',
      why: 'control bytes in the path',
      session: '',
    })
  })

  test('show no query, but keep it for an explanation', () => {
    const { recent } = create()
    recent.made(made('/a'))
    assert.doesNotMatch(JSON.stringify(recent.list()), /secret|token/)
    const kept = recent.find(1)?.request
    assert.ok(kept !== undefined && 'subrequest' in kept)
    assert.equal(kept.subrequest.query, 'token=secret')
  })

  test('are the last hundred, with numbers that only rise', () => {
    const { recent } = create()
    for (let n = 1; n <= 250; n++) recent.made(made(`/${n}`))
    const numbers = recent.list().map(({ denial }) => denial)
    assert.deepEqual(
      numbers,
      Array.from({ length: 100 }, (_, n) => 250 - n),
    )
    for (const { denial, path } of recent.list()) assert.equal(path, `/${denial}`)
    assert.equal(recent.find(150), undefined)
    assert.equal(recent.find(151)?.number, 151)
    for (const none of [0, -1, 251, 350, 1.5, Number.NaN]) assert.equal(recent.find(none), undefined)
  })

  test('tell what came after a number, the latest last', () => {
    const { recent } = create()
    for (let n = 1; n <= 130; n++) recent.made(made(`/${n}`))
    const after = (number: number): number[] => recent.after(number).map(({ denial }) => denial)
    assert.deepEqual(after(128), [129, 130])
    assert.deepEqual(after(130), [])
    assert.deepEqual(after(999), [])
    assert.equal(after(5)[0], 31)
    assert.equal(after(5).length, 100)
  })
})
