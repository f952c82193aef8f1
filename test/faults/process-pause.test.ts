import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { startBackendProcess } from '../support/backend-process.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { patientTest } from '../support/patient-test.ts'
import { readBackend, startWatchedGate } from '../support/readiness.ts'
import { rounds } from '../support/rounds.ts'
import { until } from '../support/until.ts'

/** Enough questions from enough clients to open a breaker, if all of them failed. */
const CROWD = 12

const ask = (port: number, wave: number): Promise<GateAnswer>[] =>
  Array.from({ length: CROWD }, (_, n) => {
    const asking = askGate(port, { address: `10.${wave}.${n}.1` })
    // It ends with a failing attempt before the test awaits it.
    asking.catch(() => {})
    return asking
  })

function assertReal(answers: readonly GateAnswer[]): void {
  const reasons = answers.map(({ reason }) => reason)
  assert.deepEqual(reasons, Array<string>(answers.length).fill('backend-200'))
}

async function pauseProcess(t: TestContext, deadline: string): Promise<void> {
  const backend = await startBackend(t)
  const adminPort = await findFreePort()
  const { main, port } = await startGateProcess(t, {
    BACKEND_URL: backend.url,
    BACKEND_TIMEOUT: deadline,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
  })
  assertReal(await Promise.all(ask(port, 0)))
  const held: ServerResponse[] = []
  backend.answer = (_asked, response) => void held.push(response)
  const crowd = ask(port, 1)
  await until('the questions', () => held.length === CROWD)

  main.signal('SIGSTOP')
  for (const response of held) response.writeHead(200).end()
  backend.answer = status(200)
  const late = ask(port, 2)
  await delay(3_000)
  main.signal('SIGCONT')

  assertReal(await Promise.all(crowd))
  assertReal(await Promise.all(late))
  const { breaker, state } = await readBackend(adminPort)
  assert.deepEqual({ breaker, state }, { breaker: 'closed', state: 'answers' })
  assert.doesNotMatch(main.stdout() + main.stderr(), /backend unavailable|unavailable-/)
}

describe('a gate that is frozen for 3 s while the answers come in', { concurrency: true }, () => {
  for (const deadline of ['1s', '2s'].slice(0, rounds(1, 2))) {
    test(`takes them for what they are; BACKEND_TIMEOUT=${deadline}`, (t) => pauseProcess(t, deadline))
  }
})

/** The script of a backend: answers so many milliseconds after the question, which is its `n`th (from 0). */
const answersAfter = (milliseconds: string): string => `let n = 0
server.on('connection', (socket) => {
  socket.on('error', () => {})
  socket.on('data', () => {
    setTimeout(() => socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'), ${milliseconds})
    n++
  })
})`

/** Blocks the event loop of this process for so many milliseconds. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

patientTest(
  'an event loop that is blocked for 500 ms while the answers come in takes them for what they are',
  async (t) => {
    const url = await startBackendProcess(t, answersAfter('200'))
    const gate = await startWatchedGate(t, { BACKEND_URL: url, BACKEND_TIMEOUT: '400ms' })
    assertReal(await Promise.all(ask(gate.port, 0)))
    const crowd = ask(gate.port, 1)
    await until('the questions', async () => (await gate.backend()).inFlight === CROWD, 1_000)
    block(500)
    assertReal(await Promise.all(crowd))
    assert.equal((await gate.backend()).breaker, 'closed')
    assert.doesNotMatch(gate.logText(), /backend unavailable|unavailable-/)
  },
)

patientTest('an event loop that is blocked for 1 s leaves the second backend its chance', async (t) => {
  const silent = await startBackend(t)
  silent.answer = () => {}
  const url = await startBackendProcess(t, answersAfter('0'))
  const gate = await startWatchedGate(t, {
    BACKEND_URL: `${silent.url} ${url}`,
    BACKEND_TIMEOUT: '600ms',
    DEFAULT_ACTION: 'allow',
  })
  const crowd = ask(gate.port, 2)
  await until('the questions', async () => (await gate.backend()).inFlight === CROWD, 1_000)
  block(1_000)
  assertReal(await Promise.all(crowd))
})

patientTest(
  'an event loop that is blocked for 1 s sends nobody away who waits for a place meanwhile',
  async (t) => {
    const url = await startBackendProcess(t, answersAfter('n < 8 ? 200 : 0'))
    const gate = await startWatchedGate(t, {
      BACKEND_URL: url,
      BACKEND_TIMEOUT: '600ms',
      BACKEND_CONCURRENCY: '8',
    })
    const crowd = ask(gate.port, 3)
    await until('those who wait', async () => (await gate.backend()).waiting === CROWD - 8, 1_000)
    block(1_000)
    assertReal(await Promise.all(crowd))
    assert.equal((await gate.backend()).breaker, 'closed')
  },
)
