import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { before, describe } from 'node:test'
import { unavailableReasons, type Verdict } from '../../src/verdict.ts'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { request, requestHttp2 } from '../support/client.ts'
import { drip, type Fault, faults } from '../support/faults.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { startRawBackend } from '../support/raw-backend.ts'
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

/** `began`: when it was asked; `lost`: milliseconds of it in which this process could not run. */
type Timed = GateAnswer & { readonly began: number; readonly lost: number }

async function ask(
  t: Attempt,
  backends: readonly string[],
  defaultAction: Verdict,
  deadline = DEADLINE,
): Promise<Timed> {
  const gate = await startGate(t, {
    BACKEND_URL: backends.join(' '),
    BACKEND_TIMEOUT: `${deadline}ms`,
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

// Most of it is waiting.
describe('asked directly', { concurrency: 3 }, () => {
  for (const fault of faults) {
    describe(`a backend that ${fault.what}`, { concurrency: 1 }, () => {
      for (const defaultAction of verdicts) {
        patientTest(`alone: the default action ${defaultAction}, unavailable-${fault.reason}`, async (t) => {
          const answer = await ask(t, [await fault.start(t)], defaultAction, deadlineFor(fault.reason))
          assertDefault(answer, fault, defaultAction)
        })

        patientTest(
          `twice in failover: the default action ${defaultAction}, within one deadline`,
          async (t) => {
            const urls = [await fault.start(t), await fault.start(t)]
            assertDefault(await ask(t, urls, defaultAction, deadlineFor(fault.reason)), fault, defaultAction)
          },
        )

        for (const verdict of verdicts) {
          patientTest(
            `before a healthy one: its ${verdict} counts, not the default action ${defaultAction}`,
            async (t) => {
              const healthy = await startHealthy(t, verdict)
              const urls = [await fault.start(t), healthy.url]
              // The healthy backend has half of the time.
              const answer = await ask(t, urls, defaultAction, 2 * deadlineFor(fault.reason))
              assert.equal(answer.status, verdict === 'allow' ? 200 : 403)
              assert.equal(answer.source, 'backend')
              assert.equal(answer.reason, verdict === 'allow' ? 'backend-200' : 'backend-403')
              assert.equal(healthy.asked.length, 1)
              assert.ok(answer.took < 2 * DEADLINE + answer.lost, `answered after ${answer.took} ms`)
            },
          )
        }
      }
    })
  }
})

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

/** What a backend may do, and the verdict that follows; undefined = unavailable. */
interface Kind {
  readonly what: string
  readonly start: Fault['start']
  readonly reason: string
  readonly verdict?: Verdict
}

const answering = (what: string, reason: string, verdict: Verdict, head: string, more = ''): Kind => ({
  what,
  reason,
  verdict,
  start: async (scope) => (await startRawBackend(scope, (socket) => speak(socket, head, more))).url,
})

function speak(socket: Socket, head: string, more: string): void {
  socket.write(head)
  if (more !== '') drip(socket, more)
}

const kinds: readonly Kind[] = [
  ...faults.map(({ what, start, reason }) => ({ what, start, reason: `unavailable-${reason}` })),
  answering(
    'answers 200 and a body without end',
    'backend-200',
    'allow',
    'HTTP/1.1 200 OK\r\n\r\n',
    'x'.repeat(10_000),
  ),
  answering(
    'answers 100, 103 and 200',
    'backend-200',
    'allow',
    'HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  ),
  answering(
    'answers 100, 103 and 403',
    'backend-403',
    'deny',
    'HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n',
  ),
]

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
        expected: { readonly verdict: Verdict; readonly source: string; readonly reason: string },
        deadline = deadlineFor(expected.reason),
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
        const status = expected.verdict === 'allow' ? 200 : 403
        assert.deepEqual([first.status, second], [status, status])
        assert.ok(first.took < DEADLINE + NGINX_MARGIN + lost, `answered after ${first.took} ms`)
        const { verdict, source, reason } = expected
        const told = ` verdict=${verdict} source=${source} reason=${reason} `
        for (const viewer of viewers) {
          const line = await accessLineOf(nginx, viewer)
          assert.ok(line.includes(told), line)
        }
      }

      for (const { what, start, reason, verdict } of kinds) {
        const expected =
          verdict === undefined
            ? { verdict: defaultAction, source: 'default', reason }
            : { verdict, source: 'backend', reason }
        for (const count of [1, 2]) {
          patientTest(`${what}, ${count === 1 ? 'alone' : 'twice in failover'}: ${reason}`, async (t) => {
            const urls = await Promise.all(Array.from({ length: count }, () => start(t)))
            await assertBothGet(t, urls, expected)
          })
        }
      }

      patientTest('accepts and says nothing leaves the second one its share', async (t) => {
        const silent = faults.find(({ what }) => what === 'accepts and says nothing')
        const healthy = await startHealthy(t, 'allow')
        const urls = [(await silent?.start(t)) ?? '', healthy.url]
        const expected = { verdict: 'allow', source: 'backend', reason: 'backend-200' } as const
        await assertBothGet(t, urls, expected, 2 * DEADLINE)
      })
    })
  }
})
