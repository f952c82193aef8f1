import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe } from 'node:test'
import { type Bulkhead, createBulkhead, type Release } from '../src/backend/bulkhead.ts'
import { askGate } from './support/ask-gate.ts'
import { startBackend, status } from './support/backend.ts'
import { patientTest } from './support/patient-test.ts'
import { startWatchedGate } from './support/readiness.ts'
import { watchStalls } from './support/stalls.ts'
import { until } from './support/until.ts'

function enterAtOnce(bulkhead: Bulkhead): Release {
  const place = bulkhead.enter(0)
  assert.ok(typeof place === 'function', 'there should have been room')
  return place
}

describe('a bulkhead', () => {
  patientTest('has as many places as it says, at once', () => {
    const bulkhead = createBulkhead({ concurrency: 3, queue: 0 })
    for (let n = 0; n < 3; n++) enterAtOnce(bulkhead)
    assert.equal(bulkhead.inFlight(), 3)
    assert.equal(bulkhead.enter(1_000), undefined)
  })

  patientTest('gives a place that became free to whoever waits longest', async () => {
    const bulkhead = createBulkhead({ concurrency: 1, queue: 3 })
    const release = enterAtOnce(bulkhead)
    const order: number[] = []
    const waits = [1, 2, 3].map(async (n) => {
      const place = await bulkhead.enter(10_000)
      order.push(n)
      place?.()
      return place !== undefined
    })
    assert.equal(bulkhead.waiting(), 3)
    release()
    assert.deepEqual(await Promise.all(waits), [true, true, true])
    assert.deepEqual(order, [1, 2, 3])
    assert.deepEqual([bulkhead.inFlight(), bulkhead.waiting()], [0, 0])
  })

  patientTest('lets no more wait than its queue holds', async () => {
    const bulkhead = createBulkhead({ concurrency: 1, queue: 2 })
    enterAtOnce(bulkhead)
    const waits = [bulkhead.enter(20), bulkhead.enter(20)]
    assert.equal(bulkhead.enter(20), undefined)
    assert.deepEqual(await Promise.all(waits), [undefined, undefined])
  })

  patientTest('sends away who has waited as long as he may, and keeps no place for him', async () => {
    const bulkhead = createBulkhead({ concurrency: 1, queue: 1 })
    const release = enterAtOnce(bulkhead)
    const began = performance.now()
    assert.equal(await bulkhead.enter(50), undefined)
    assert.ok(performance.now() - began >= 48)
    assert.deepEqual([bulkhead.inFlight(), bulkhead.waiting()], [1, 0])
    release()
    assert.equal(bulkhead.inFlight(), 0)
    enterAtOnce(bulkhead)
  })

  patientTest('takes a place back once, however often it is given back', async () => {
    const bulkhead = createBulkhead({ concurrency: 2, queue: 1 })
    const release = enterAtOnce(bulkhead)
    enterAtOnce(bulkhead)
    for (let n = 0; n < 3; n++) release()
    assert.equal(bulkhead.inFlight(), 1)
    enterAtOnce(bulkhead)
    assert.equal(bulkhead.enter(0), undefined)
  })
})

/** They end with an attempt that fails before they do, and nobody awaits them then. */
function mayEnd<Answer>(asking: Promise<Answer>): Promise<Answer> {
  asking.catch(() => {})
  return asking
}

const address = (n: number): string => `198.51.${n >> 8}.${n & 255}`

describe('a crowd before a backend that hangs', () => {
  patientTest(
    '64 questions are under way, 128 wait, the rest is unavailable-overload at once, and known sessions notice nothing',
    async (t) => {
      const backend = await startBackend(t)
      const gate = await startWatchedGate(t, {
        BACKEND_URL: backend.url,
        BACKEND_TIMEOUT: '2s',
        DEFAULT_ACTION: 'allow',
      })
      const known = { uri: '/live/known/index.m3u8?token=1' }
      assert.equal((await askGate(gate.port, known)).reason, 'backend-200')

      const held: ServerResponse[] = []
      backend.answer = (_asked, response) => void held.push(response)
      const crowd = Array.from({ length: 192 }, (_, n) => mayEnd(askGate(gate.port, { address: address(n) })))
      await until('the crowd', async () => (await gate.backend()).waiting === 128, 1_500)
      assert.equal((await gate.backend()).inFlight, 64)
      assert.equal(held.length, 64)

      const stalls = watchStalls()
      const surplus = await askGate(gate.port, { address: address(200) })
      const segments = await Promise.all(
        Array.from({ length: 20 }, (_, n) => askGate(gate.port, { uri: `/live/known/${n}.ts` })),
      )
      const lost = stalls()
      assert.deepEqual(
        [surplus.source, surplus.reason, surplus.status],
        ['default', 'unavailable-overload', 200],
      )
      for (const { reason, took } of [surplus, ...segments].slice(1)) {
        assert.equal(reason, 'riding')
        assert.ok(took < 150 + lost, `a segment took ${took} ms`)
      }

      backend.answer = status(403)
      for (const response of held) response.writeHead(403).end()
      const answers = await Promise.all(crowd)
      assert.ok(answers.every(({ reason }) => reason === 'backend-403'))
      const { inFlight, waiting, breaker } = await gate.backend()
      assert.deepEqual({ inFlight, waiting, breaker }, { inFlight: 0, waiting: 0, breaker: 'closed' })
      assert.doesNotMatch(gate.logText(), /backend unavailable/, 'a crowd says nothing about the backend')
    },
  )

  patientTest('who waits in vain is unavailable-overload after half of the deadline', async (t) => {
    const backend = await startBackend(t)
    backend.answer = () => {}
    const gate = await startWatchedGate(t, {
      BACKEND_URL: backend.url,
      BACKEND_TIMEOUT: '600ms',
      BACKEND_CONCURRENCY: '4',
    })
    const stalls = watchStalls()
    const crowd = await Promise.all(
      Array.from({ length: 12 }, (_, n) => askGate(gate.port, { address: address(n) })),
    )
    const lost = stalls()
    const count = (reason: string): number => crowd.filter((answer) => answer.reason === reason).length
    assert.deepEqual([count('unavailable-timeout'), count('unavailable-overload')], [4, 8])
    for (const { reason, took } of crowd) {
      const due = reason === 'unavailable-overload' ? 300 : 600
      assert.ok(took > due - 20 && took < due + 150 + lost, `${reason} after ${took} ms`)
    }
  })
})

describe("one address's own excess", () => {
  for (const [what, from] of [
    ['an IPv4 address', () => '192.0.2.1'],
    ['an IPv6 /64', (n: number) => `2001:db8::${n.toString(16)}`],
  ] as const) {
    patientTest(
      `${what} holds a quarter; the rest of it is denied, with DEFAULT_ACTION=allow too, and others are answered`,
      async (t) => {
        const backend = await startBackend(t)
        backend.answer = ({ headers }, response) => {
          if (headers['X-Real-Ip'] === '203.0.113.9') response.end()
        }
        const gate = await startWatchedGate(t, {
          BACKEND_URL: backend.url,
          BACKEND_TIMEOUT: '1s',
          BACKEND_CONCURRENCY: '16',
          DEFAULT_ACTION: 'allow',
        })
        const flood = Array.from({ length: 40 }, (_, n) =>
          mayEnd(askGate(gate.port, { address: from(n), userAgent: `player ${n}` })),
        )
        await until('its questions', async () => (await gate.backend()).inFlight === 4)
        const other = await askGate(gate.port, { address: '203.0.113.9' })
        assert.equal(other.reason, 'backend-200')
        const answers = (await Promise.all(flood)).map(
          ({ status: code, source, reason }) => `${code} ${source} ${reason}`,
        )
        const count = (text: string): number => answers.filter((answer) => answer === text).length
        assert.equal(count('403 gate too-many-questions'), 36)
        assert.equal(count('200 default unavailable-timeout'), 4)
        assert.equal((await gate.backend()).breaker, 'closed')
        backend.answer = status(200)
        const later = await askGate(gate.port, { address: from(99), userAgent: 'later' })
        assert.equal(later.reason, 'backend-200', 'its places come back')
      },
    )
  }
})
