import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe } from 'node:test'
import { type UnavailableReason, unavailableReasons, type Verdict } from '../../src/verdict.ts'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { request, requestHttp2 } from '../support/client.ts'
import { type Fault, faults } from '../support/faults.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { clientRequest, createPretendGate } from '../support/pretend-gate.ts'
import { isLong } from '../support/rounds.ts'
import { suiteScope } from '../support/scope.ts'
import { accessLineOf, newViewer } from '../support/site.ts'
import { watchStalls } from '../support/stalls.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** BACKEND_TIMEOUT where a test waits for it, and what an answer may take longer; milliseconds. */
const DEADLINE = 400
const MARGIN = 100
/** The same for an answer of nginx, whose own pauses are not measured here. */
const NGINX_MARGIN = 300
/** Where a fault shows at once, a short deadline has no use. A long one is not missed on a busy machine. */
const FAR_DEADLINE = 2_000

const deadlineFor = (reason: string): number => (reason.endsWith('timeout') ? DEADLINE : FAR_DEADLINE)

const verdicts: readonly Verdict[] = ['allow', 'deny']
const statusOf = (verdict: Verdict): number => (verdict === 'allow' ? 200 : 403)

/** `began`: when it was asked; `lost`: milliseconds of it in which this process could not run. */
type Timed = GateAnswer & { readonly began: number; readonly lost: number }

/** Asks a gate whose default action is `allow`. */
async function ask(t: Attempt, backends: readonly string[], deadline = DEADLINE): Promise<Timed> {
  const gate = await startGate(t, {
    BACKEND_URL: backends.join(' '),
    BACKEND_TIMEOUT: `${deadline}ms`,
    DEFAULT_ACTION: 'allow',
  })
  const stalls = watchStalls()
  const began = performance.now()
  const answer = await askGate(gate.port)
  return { ...answer, began, lost: stalls() }
}

async function startHealthy(t: Attempt, verdict: Verdict): Promise<Backend> {
  const backend = await startBackend(t)
  backend.answer = status(statusOf(verdict))
  return backend
}

function assertDefault({ status, source, reason, took, lost }: Timed, fault: Fault): void {
  assert.deepEqual([status, source, reason], [200, 'default', `unavailable-${fault.reason}`])
  assert.ok(took < DEADLINE + MARGIN + lost, `answered after ${took} ms`)
  if (fault.reason === 'timeout') assert.ok(took > DEADLINE - 20, `gave up after ${took} ms`)
}

patientTest('whatever the reason, the default action decides', async () => {
  for (const defaultAction of verdicts) {
    for (const reason of unavailableReasons) {
      const gate = createPretendGate({ defaultAction })
      gate.answers(() => ({ kind: 'unavailable', backend: 'pretend', reason }))
      const decision = await gate.decide(clientRequest('/live/a.m3u8?token=1'))
      assert.deepEqual(
        [decision.verdict, decision.source, decision.reason],
        [defaultAction, 'default', `unavailable-${reason}`],
      )
    }
  }
})

// Most of it is waiting.
describe('asked directly', { concurrency: 3 }, () => {
  for (const fault of faults) {
    describe(`a backend that ${fault.what}`, { concurrency: 1 }, () => {
      const deadline = deadlineFor(fault.reason)

      patientTest(`alone: the default action, unavailable-${fault.reason}`, async (t) => {
        assertDefault(await ask(t, [await fault.start(t)], deadline), fault)
      })

      patientTest('twice in failover: the default action, within one deadline', async (t) => {
        assertDefault(await ask(t, [await fault.start(t), await fault.start(t)], deadline), fault)
      })

      patientTest('before a healthy one: its verdict counts', async (t) => {
        const healthy = await startHealthy(t, 'deny')
        // The healthy backend has half of the time.
        const answer = await ask(t, [await fault.start(t), healthy.url], 2 * deadline)
        assert.deepEqual([answer.status, answer.reason], [403, 'backend-403'])
        assert.equal(healthy.asked.length, 1)
        assert.ok(answer.took < 2 * DEADLINE + answer.lost, `answered after ${answer.took} ms`)
      })
    })
  }
})

describe('a deadline shared by backends in failover', () => {
  const silent = faults.find(({ what }) => what === 'accepts and says nothing')
  const cases: [string, number, number][] = [
    ['the second of two is asked at half of it', 2, DEADLINE / 2],
    ['the third of three is asked at two thirds of it', 3, (DEADLINE * 2) / 3],
  ]
  for (const [promise, count, expected] of cases) {
    patientTest(promise, async (t) => {
      const last = await startBackend(t)
      let askedAt = 0
      last.answer = (_asked, response) => {
        askedAt = performance.now()
        response.end()
      }
      const silents = await Promise.all(Array.from({ length: count - 1 }, async () => silent?.start(t) ?? ''))
      const answer = await ask(t, [...silents, last.url])
      assert.equal(answer.reason, 'backend-200')
      const after = askedAt - answer.began
      assert.ok(after > expected - 20 && after < expected + 120 + answer.lost, `asked after ${after} ms`)
    })
  }
})

patientTest('there is a fault here for each reason that one question can meet, except a status', () => {
  const others: readonly UnavailableReason[] = ['status', 'internal', 'breaker', 'overload']
  const caused = unavailableReasons.filter((reason) => !others.includes(reason))
  assert.deepEqual([...new Set(faults.map((fault) => fault.reason))].sort(), caused.sort())
})

/** nginx sees only the gate's answer: two faults show all that it does. In `npm run test:long` all. */
const throughNginx = faults.filter(
  ({ what }) => isLong || ['accepts and says nothing', 'speaks SSH'].includes(what),
)

describe('through nginx, over HTTP/1.1 and HTTP/2,', { concurrency: true }, () => {
  for (const defaultAction of verdicts) {
    describe(`DEFAULT_ACTION=${defaultAction}: a backend that`, { concurrency: 1 }, () => {
      const scope = suiteScope()
      let nginx: Nginx
      let socketPath: string
      before(async () => {
        socketPath = join(makeTemporaryFolder(scope), 'gate.sock')
        // The on-failure file is the opposite one: it must decide nothing here.
        const onFailure = defaultAction === 'allow' ? 'deny' : 'allow'
        nginx = await startNginx(scope, { gates: [`unix:${socketPath}`], onFailure })
      })

      /** Two unknown viewers at once. Both must get this verdict in time, and the log must say why. */
      const assertBothGet = async (
        t: Attempt,
        backends: readonly string[],
        [verdict, source, reason]: readonly [Verdict, string, string],
        deadline = deadlineFor(reason),
      ): Promise<void> => {
        await startGate(t, {
          LISTEN: `unix:${socketPath}`,
          BACKEND_URL: backends.join(' '),
          BACKEND_TIMEOUT: `${deadline}ms`,
          DEFAULT_ACTION: defaultAction,
        })
        const viewers = [newViewer(), newViewer()] as const
        const target = '/index.m3u8?token=1'
        const stalls = watchStalls()
        const [first, second] = await Promise.all([
          request({ port: nginx.port, target, headers: [`User-Agent: ${viewers[0]}`] }),
          requestHttp2(nginx.tlsPort, target, { 'user-agent': viewers[1] }),
        ])
        const lost = stalls()
        assert.deepEqual([first.status, second], [statusOf(verdict), statusOf(verdict)])
        assert.ok(first.took < DEADLINE + NGINX_MARGIN + lost, `answered after ${first.took} ms`)
        for (const viewer of viewers) {
          const line = await accessLineOf(nginx, viewer)
          assert.ok(line.includes(` verdict=${verdict} source=${source} reason=${reason} `), line)
        }
      }

      for (const { what, start, reason } of throughNginx) {
        patientTest(`${what}, twice in failover: unavailable-${reason}`, async (t) => {
          const urls = [await start(t), await start(t)]
          await assertBothGet(t, urls, [defaultAction, 'default', `unavailable-${reason}`])
        })
      }

      patientTest('accepts and says nothing leaves the second one its share', async (t) => {
        const silent = faults.find(({ what }) => what === 'accepts and says nothing')
        const healthy = await startHealthy(t, 'allow')
        const urls = [(await silent?.start(t)) ?? '', healthy.url]
        await assertBothGet(t, urls, ['allow', 'backend', 'backend-200'], 2 * DEADLINE)
      })
    })
  }
})
