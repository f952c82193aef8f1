import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { unavailableReasons, type Verdict } from '../src/verdict.ts'
import { askGate, type GateAnswer } from './support/ask-gate.ts'
import { type Backend, startBackend, status } from './support/backend.ts'
import { request } from './support/client.ts'
import { type Fault, faults } from './support/faults.ts'
import { startGate } from './support/gate.ts'
import { startNginx } from './support/nginx.ts'
import { type Attempt, patientTest } from './support/patient-test.ts'
import { watchStalls } from './support/stalls.ts'
import { until } from './support/until.ts'

/** BACKEND_TIMEOUT here, and what an answer may take past it; milliseconds. */
const DEADLINE = 400
const MARGIN = 250

const verdicts: readonly Verdict[] = ['allow', 'deny']

/** `began`: when it was asked; `lost`: milliseconds of it in which this process could not run. */
type Timed = GateAnswer & { readonly began: number; readonly lost: number }

async function ask(t: Attempt, backends: readonly string[], defaultAction: Verdict): Promise<Timed> {
  const gate = await startGate(t, {
    BACKEND_URL: backends.join(' '),
    BACKEND_TIMEOUT: `${DEADLINE}ms`,
    DEFAULT_ACTION: defaultAction,
  })
  const stalls = watchStalls()
  const began = performance.now()
  const answer = await askGate(gate.port)
  return { ...answer, began, lost: stalls() }
}

async function startHealthy(t: Attempt, verdict: Verdict): Promise<Backend> {
  const backend = await startBackend(t)
  backend.answer = status(verdict === 'allow' ? 200 : 403)
  return backend
}

function assertDefault(answer: Timed, fault: Fault, defaultAction: Verdict): void {
  const { status, verdict, source, reason, took, lost } = answer
  assert.deepEqual(
    { status, verdict, source, reason },
    {
      status: defaultAction === 'allow' ? 200 : 403,
      verdict: defaultAction,
      source: 'default',
      reason: `unavailable-${fault.reason}`,
    },
  )
  assert.ok(took < DEADLINE + MARGIN + lost, `answered after ${took} ms`)
  if (fault.reason === 'timeout') assert.ok(took > DEADLINE - 20, `gave up after ${took} ms`)
}

for (const fault of faults) {
  describe(`a backend that ${fault.what}`, () => {
    for (const defaultAction of verdicts) {
      patientTest(`alone: the default action ${defaultAction}, unavailable-${fault.reason}`, async (t) => {
        assertDefault(await ask(t, [await fault.start(t)], defaultAction), fault, defaultAction)
      })

      patientTest(
        `twice in failover: the default action ${defaultAction}, within one deadline`,
        async (t) => {
          const urls = [await fault.start(t), await fault.start(t)]
          assertDefault(await ask(t, urls, defaultAction), fault, defaultAction)
        },
      )

      for (const verdict of verdicts) {
        patientTest(
          `before a healthy one: its ${verdict} counts, not the default action ${defaultAction}`,
          async (t) => {
            const healthy = await startHealthy(t, verdict)
            const answer = await ask(t, [await fault.start(t), healthy.url], defaultAction)
            assert.equal(answer.status, verdict === 'allow' ? 200 : 403)
            assert.equal(answer.source, 'backend')
            assert.equal(answer.reason, verdict === 'allow' ? 'backend-200' : 'backend-403')
            assert.equal(healthy.asked.length, 1)
            assert.ok(answer.took < DEADLINE + answer.lost, `answered after ${answer.took} ms`)
          },
        )
      }
    }
  })
}

describe('a deadline shared by backends in failover', () => {
  const silent = faults.filter((fault) => fault.reason === 'timeout')
  const cases: [string, number, number][] = [
    ['the second of two is asked at half of it', 2, DEADLINE / 2],
    ['the third of three is asked at two thirds of it', 3, (DEADLINE * 2) / 3],
  ]
  for (const fault of silent) {
    for (const [promise, count, expected] of cases) {
      patientTest(`each backend ${fault.what}: ${promise}`, async (t) => {
        const last = await startBackend(t)
        let askedAt = 0
        last.answer = (_asked, response) => {
          askedAt = performance.now()
          response.end()
        }
        const before = await Promise.all(Array.from({ length: count - 1 }, () => fault.start(t)))
        const answer = await ask(t, [...before, last.url], 'deny')
        assert.equal(answer.reason, 'backend-200')
        const after = askedAt - answer.began
        assert.ok(after > expected - 20 && after < expected + 120 + answer.lost, `asked after ${after} ms`)
      })
    }
  }
})

patientTest('there is a fault here for each reason that one question can meet, except a status', () => {
  const caused = unavailableReasons.filter(
    (reason) => !['status', 'internal', 'breaker', 'overload'].includes(reason),
  )
  assert.deepEqual([...new Set(faults.map((fault) => fault.reason))].sort(), caused.sort())
})

describe('through nginx', () => {
  const reasons = ['refused', 'timeout', 'reset', 'closed', 'not-http', 'tls', 'dns']
  for (const reason of reasons) {
    for (const defaultAction of verdicts) {
      patientTest(
        `unavailable-${reason} is the default action ${defaultAction}, and the log tells both`,
        async (t) => {
          const url = await faults.find((fault) => fault.reason === reason)?.start(t)
          const gate = await startGate(t, {
            BACKEND_URL: url ?? '',
            BACKEND_TIMEOUT: `${DEADLINE}ms`,
            DEFAULT_ACTION: defaultAction,
          })
          // The flavour for an absent gate is the opposite: it must have no say here.
          const onFailure = defaultAction === 'allow' ? 'deny' : 'allow'
          const nginx = await startNginx(t, { gates: [gate.address], onFailure })
          const stalls = watchStalls()
          const answer = await request({ port: nginx.port, target: '/index.m3u8?token=1' })
          const lost = stalls()
          assert.equal(answer.status, defaultAction === 'allow' ? 200 : 403)
          assert.ok(answer.took < DEADLINE + MARGIN + lost, `answered after ${answer.took} ms`)
          await until('the log line', () => nginx.accessLog().length === 1)
          const told = ` verdict=${defaultAction} source=default reason=unavailable-${reason} `
          assert.ok(nginx.accessLog()[0]?.includes(told), nginx.accessLog()[0])
        },
      )
    }
  }
})
