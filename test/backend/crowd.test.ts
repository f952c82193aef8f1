import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { patientTest } from '../support/patient-test.ts'
import { startWatchedGate, type WatchedGate } from '../support/readiness.ts'
import type { Scope } from '../support/scope.ts'
import { watchStalls } from '../support/stalls.ts'
import { until } from '../support/until.ts'

/** They end with a failing attempt before the test awaits them. */
function mayEnd<Answer>(asking: Promise<Answer>): Promise<Answer> {
  asking.catch(() => {})
  return asking
}

/** Each in a network of its own. */
const address = (n: number): string => `198.${n >> 8}.${n & 255}.1`

const countOf = (answers: readonly GateAnswer[], text: string): number =>
  answers.filter(({ status: code, source, reason }) => `${code} ${source} ${reason}` === text).length

/** Allows `token=good…` and denies the rest, after so many milliseconds. */
async function startSlowBackend(scope: Scope, milliseconds: number): Promise<Backend> {
  const backend = await startBackend(scope)
  backend.answer = ({ target }, response) => {
    setTimeout(() => response.writeHead(target.includes('token=good') ? 200 : 403).end(), milliseconds)
  }
  return backend
}

/** A gate that waits 600 ms for a backend that never answers. */
async function startBeforeHanging(
  scope: Scope,
  environment: Readonly<Record<string, string>>,
): Promise<WatchedGate> {
  const backend = await startBackend(scope)
  backend.answer = () => {}
  return startWatchedGate(scope, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '600ms', ...environment })
}

describe('a crowd before a backend that hangs', () => {
  patientTest('16 questions are under way, the others wait, and known sessions notice nothing', async (t) => {
    const backend = await startBackend(t)
    const gate = await startWatchedGate(t, {
      BACKEND_URL: backend.url,
      BACKEND_TIMEOUT: '3s',
      BACKEND_CONCURRENCY: '16',
      DEFAULT_ACTION: 'allow',
    })
    const known = { uri: '/live/known/index.m3u8?token=1' }
    assert.equal((await askGate(gate.port, known)).reason, 'backend-200')

    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    const crowd = Array.from({ length: 100 }, (_, n) => mayEnd(askGate(gate.port, { address: address(n) })))
    await until('the crowd', async () => (await gate.backend()).waiting === 84, 1_500)
    assert.equal((await gate.backend()).inFlight, 16)
    assert.equal(held.length, 16)

    const stalls = watchStalls()
    const segments = await Promise.all(
      Array.from({ length: 20 }, (_, n) => askGate(gate.port, { uri: `/live/known/${n}.ts` })),
    )
    const lost = stalls()
    for (const { reason, took } of segments) {
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
  })

  patientTest('who waits in vain is unavailable-overload, within the deadline', async (t) => {
    const gate = await startBeforeHanging(t, { BACKEND_CONCURRENCY: '4' })
    const stalls = watchStalls()
    const crowd = await Promise.all(
      Array.from({ length: 12 }, (_, n) => askGate(gate.port, { address: address(n) })),
    )
    const lost = stalls()
    const count = (reason: string): number => crowd.filter((answer) => answer.reason === reason).length
    assert.deepEqual([count('unavailable-timeout'), count('unavailable-overload')], [4, 8])
    for (const { reason, took } of crowd) assert.ok(took < 750 + lost, `${reason} after ${took} ms`)
  })

  test('a crowd behind one address gets the default action, as all others do', async (t) => {
    const gate = await startBeforeHanging(t, { DEFAULT_ACTION: 'allow' })
    const crowd = Array.from({ length: 100 }, (_, n) => askGate(gate.port, { userAgent: `box ${n}` }))
    const answers = await Promise.all(crowd)
    assert.ok(
      answers.every(({ source, verdict }) => source === 'default' && verdict === 'allow'),
      JSON.stringify(answers.find(({ source }) => source !== 'default')),
    )
  })
})

patientTest(
  'an address whose questions are silent holds three quarters; its rest is denied, with DEFAULT_ACTION=allow too, and others are answered',
  async (t) => {
    const backend = await startBackend(t)
    // The control question names no address and is answered as well: the backend works.
    backend.answer = ({ headers }, response) => {
      if (['203.0.113.9', undefined].includes(headers['X-Real-Ip'])) response.end()
    }
    const gate = await startWatchedGate(t, {
      BACKEND_URL: backend.url,
      BACKEND_TIMEOUT: '1s',
      BACKEND_CONCURRENCY: '16',
      DEFAULT_ACTION: 'allow',
    })
    const flood = Array.from({ length: 40 }, (_, n) =>
      mayEnd(askGate(gate.port, { address: '192.0.2.1', userAgent: `player ${n}` })),
    )
    await until('its questions', async () => (await gate.backend()).inFlight === 12)
    const other = await askGate(gate.port, { address: '203.0.113.9' })
    assert.equal(other.reason, 'backend-200')
    const answers = await Promise.all(flood)
    assert.equal(countOf(answers, '403 gate too-many-questions'), 28)
    assert.equal(countOf(answers, '403 gate question-refused'), 12)
    assert.equal((await gate.backend()).breaker, 'closed')
    backend.answer = status(200)
    // The backend may still work on them for the same time.
    await until('its places to come back', async () => (await gate.backend()).inFlight === 0, 2_000)
    const later = await askGate(gate.port, { address: '192.0.2.1', userAgent: 'later' })
    assert.equal(later.reason, 'backend-200', 'its places come back')
  },
)

describe('a crowd behind one address, before a backend that is well', () => {
  patientTest('100 set-top boxes at once, a backend of 200 ms: all are let in within 2 s', async (t) => {
    const backend = await startSlowBackend(t, 200)
    const gate = await startWatchedGate(t, { BACKEND_URL: backend.url })
    const began = performance.now()
    const boxes = Array.from({ length: 100 }, (_, n) =>
      askGate(gate.port, { uri: `/live/${n}/index.m3u8?token=good${n}` }),
    )
    const answers = await Promise.all(boxes)
    assert.equal(countOf(answers, '200 backend backend-200'), 100)
    assert.ok(performance.now() - began < 2_000)
  })

  patientTest('300 within one second, a backend of 50 ms: all are let in', async (t) => {
    const backend = await startSlowBackend(t, 50)
    const gate = await startWatchedGate(t, { BACKEND_URL: backend.url })
    const boxes: Promise<GateAnswer>[] = []
    for (let n = 0; n < 300; n++) {
      boxes.push(askGate(gate.port, { uri: `/live/${n}/index.m3u8?token=good${n}` }))
      if (n % 10 === 9) await delay(33)
    }
    assert.equal(countOf(await Promise.all(boxes), '200 backend backend-200'), 300)
  })

  test('an attacker with 30 bad tokens in flight keeps neither newcomers behind the same address nor others out', async (t) => {
    const backend = await startSlowBackend(t, 100)
    const gate = await startWatchedGate(t, { BACKEND_URL: backend.url, DEFAULT_ACTION: 'allow' })
    let attacks = 0
    let letIn = 0
    let isOver = false
    const attack = async (): Promise<void> => {
      while (!isOver) {
        const n = attacks++
        const { status: code } = await askGate(gate.port, {
          uri: `/live/bad/index.m3u8?token=bad${n}`,
          userAgent: `attacker ${n}`,
        })
        if (code === 200) letIn++
      }
    }
    const attackers = Array.from({ length: 30 }, attack)
    let newcomers = 0
    let others = 0
    for (let n = 0; n < 40; n++) {
      const uri = `/live/${n}/index.m3u8?token=good${n}`
      const [newcomer, other] = await Promise.all([
        askGate(gate.port, { uri }),
        askGate(gate.port, { uri, address: address(n) }),
      ])
      if (newcomer.reason === 'backend-200') newcomers++
      if (other.reason === 'backend-200') others++
    }
    isOver = true
    await Promise.all(attackers)
    t.diagnostic(`${newcomers} newcomers, ${others} others, ${attacks} attacks`)
    assert.ok(newcomers >= 38, `${newcomers} of 40 newcomers`)
    assert.equal(others, 40)
    assert.ok(attacks > 100)
    assert.equal(letIn, 0)
    assert.equal((await gate.backend()).breaker, 'closed')
  })
})
