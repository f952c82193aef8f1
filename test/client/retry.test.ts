import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe } from 'node:test'
import { CONTROL_NAME } from '../../src/client/alta-contract.ts'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { startGate } from '../support/gate.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { watchStalls } from '../support/stalls.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const DEADLINE = 400

interface Site {
  /** Asks about a new viewer each time. */
  ask(): Promise<GateAnswer>
  questions(): number
  /** The client's question was passed on. */
  connections(): number
  lines(message: string): number
}

/**
 * @param meet what the backend does with its `question`th question (from 0), the `onConnection`th (from 0) of
 * its connection
 */
async function startSite(
  t: Attempt,
  meet: (socket: Socket, question: number, onConnection: number) => void,
): Promise<Site> {
  let questions = 0
  let viewer = 0
  const counts = new WeakMap<Socket, number>()
  let connections = 0
  const backend = await startRawBackend(t, (socket, head) => {
    // The control question finds that it is an outage.
    if (head.includes(CONTROL_NAME)) return void socket.destroy()
    const before = counts.get(socket) ?? 0
    if (before === 0) connections++
    counts.set(socket, before + 1)
    meet(socket, questions++, before)
  })
  const gate = await startGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: `${DEADLINE}ms` })
  return {
    ask: () => askGate(gate.port, { userAgent: `viewer ${viewer++}` }),
    questions: () => questions,
    connections: () => connections,
    lines: (message) => gate.log.filter((line) => line['message'] === message).length,
  }
}

/** The second question gets no answer, in time. */
async function assertTimesOut(site: Site): Promise<void> {
  await site.ask()
  const stalls = watchStalls()
  const answer = await site.ask()
  assert.equal(answer.reason, 'unavailable-timeout')
  assert.ok(answer.took < DEADLINE + 150 + stalls(), `answered after ${answer.took} ms`)
}

const deaths: readonly [how: string, die: (socket: Socket) => void, reason: string][] = [
  ['closes', (socket) => void socket.end(), 'unavailable-closed'],
  ['resets', (socket) => void socket.resetAndDestroy(), 'unavailable-reset'],
]

describe('a question on a kept connection', () => {
  for (const [how, die] of deaths) {
    patientTest(
      `that the backend ${how} without a byte is put once more, on a fresh connection`,
      async (t) => {
        const site = await startSite(t, (socket, _question, onConnection) =>
          onConnection === 0 ? socket.write(OK) : die(socket),
        )
        assert.equal((await site.ask()).reason, 'backend-200')
        assert.equal((await site.ask()).reason, 'backend-200')
        assert.deepEqual([site.questions(), site.connections()], [3, 2])
        assert.equal(site.lines('backend unavailable'), 0)
      },
    )

    patientTest(`is not put a third time when the backend ${how} the fresh one as well`, async (t) => {
      const site = await startSite(t, (socket, question) => (question === 0 ? socket.write(OK) : die(socket)))
      assert.equal((await site.ask()).reason, 'backend-200')
      assert.match((await site.ask()).reason, /^unavailable-(?:closed|reset)$/)
      assert.deepEqual([site.questions(), site.connections()], [3, 2])
    })

    for (const [what, part] of [
      ['a byte', 'H'],
      ['half a status line', 'HTTP/1.1 2'],
      ['some headers', 'HTTP/1.1 200 OK\r\nX-A: b\r\n'],
      ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
      ['half an interim answer', 'HTTP/1.1 103 Early'],
    ] as const) {
      patientTest(`is not put again when the backend ${how} after ${what}`, async (t) => {
        const site = await startSite(t, (socket, question) => {
          if (question === 0) socket.write(OK)
          else socket.write(part, () => setTimeout(() => die(socket), 30))
        })
        assert.equal((await site.ask()).reason, 'backend-200')
        assert.match((await site.ask()).reason, /^unavailable-(?:closed|reset)$/)
        assert.equal(site.questions(), 2)
      })
    }
  }

  patientTest('that is never answered is not put again', async (t) => {
    const site = await startSite(t, (socket, question) => {
      if (question === 0) socket.write(OK)
    })
    await assertTimesOut(site)
    assert.equal(site.questions(), 2)
  })

  patientTest('that is put again keeps its deadline', async (t) => {
    const site = await startSite(t, (socket, question) => {
      if (question === 0) socket.write(OK)
      if (question === 1) setTimeout(() => socket.end(), DEADLINE / 2)
    })
    await assertTimesOut(site)
    assert.equal(site.questions(), 3)
  })
})

describe('a question on a connection of first use', () => {
  for (const [how, die, reason] of deaths) {
    patientTest(`is not put again when the backend ${how} it`, async (t) => {
      const site = await startSite(t, die)
      assert.equal((await site.ask()).reason, reason)
      assert.deepEqual([site.questions(), site.connections()], [1, 1])
    })
  }
})

patientTest(
  'a backend that closes idle connections when it likes is never taken for unavailable',
  async (t) => {
    let closed = 0
    const site = await startSite(t, (socket, question) => {
      socket.write(OK)
      // Near the moment when the next question comes.
      setTimeout(() => {
        closed++
        socket.end()
      }, question % 4)
    })
    for (let n = 0; n < 300; n++) assert.equal((await site.ask()).reason, 'backend-200', `question ${n}`)
    assert.ok(closed > 250)
    assert.equal(site.lines('backend unavailable'), 0)
  },
)
