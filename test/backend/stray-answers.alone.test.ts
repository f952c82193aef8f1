import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import { readEndpoint } from '../../src/client/endpoint.ts'
import { startBackendProcess } from '../support/backend-process.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { questionAbout } from '../support/question-about.ts'
import { rounds } from '../support/rounds.ts'

const TRIES = rounds(2_000, 10_000)
/** Questions under way at once, each about a key of its own. */
const AT_ONCE = 50

/**
 * Allows `token=good` and denies the rest. After each answer comes a second one that says the opposite.
 * `send(socket, answer, stray)` decides when.
 */
const lying = (send: string): string => `
const answer = (code) => 'HTTP/1.1 ' + code + ' X\\r\\nContent-Length: 0\\r\\n\\r\\n'
const send = ${send}
server.on('connection', (socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    clearTimeout(socket.timer)
    const good = bytes.includes('token=good')
    send(socket, answer(good ? 200 : 403), answer(good ? 403 : 200))
  })
})`

interface When {
  readonly what: string
  readonly send: string
  /** Milliseconds of rest after each round, so that every connection is idle when the second answer comes. */
  readonly rest: number
}

const times: readonly When[] = [
  { what: 'in the same packet', send: '(socket, one, other) => socket.write(one + other)', rest: 0 },
  {
    what: 'right after the answer',
    send: '(socket, one, other) => { socket.write(one); socket.write(other) }',
    rest: 0,
  },
  {
    what: 'while the connection is idle',
    send: '(socket, one, other) => { socket.write(one); socket.timer = setTimeout(() => socket.write(other), 2) }',
    rest: 20,
  },
]

async function startAsking(t: TestContext, send: string): Promise<Backend> {
  const backend = createBackend({
    endpoint: readEndpoint(await startBackendProcess(t, lying(send))),
    concurrency: 64,
    timeout: 2_000,
    unavailableStatus: new Set(),
    groupsOf: createAddressGroupsOf(usualPrefixes),
    clock: () => performance.now(),
    onOutcome: () => {},
    onInternalError: (error) => assert.fail(String(error)),
  })
  t.after(() => backend.close())
  return backend
}

describe(`a second, opposite answer: no verdict swapped in ${TRIES} tries`, { concurrency: true }, () => {
  for (const { what, send, rest } of times) {
    test(`that comes ${what}`, async (t) => {
      const backend = await startAsking(t, send)
      const count = { right: 0, swapped: 0, unavailable: 0 }
      const ask = async (n: number): Promise<void> => {
        const good = n % 3 === 0
        // From as many networks: no question waits in the line. It would then be sent on a connection whose
        // second answer is about to come.
        const address = `10.${n % AT_ONCE}.0.1`
        const request = clientRequest(`/live/${n}.m3u8?token=${good ? 'good' : 'bad'}&n=${n}`, { address })
        const { kind } = await backend.ask(questionAbout(request, { sessionId: `session-${n}` }), 2_000)
        if (kind === 'unavailable') count.unavailable++
        else count[(kind === 'allow') === good ? 'right' : 'swapped']++
      }
      for (let asked = 0; asked < TRIES; asked += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => ask(asked + at)))
        if (rest > 0) await delay(rest)
      }
      t.diagnostic(JSON.stringify(count))
      assert.equal(count.right + count.swapped + count.unavailable, TRIES)
      assert.equal(count.swapped, 0)
      assert.ok(count.unavailable < TRIES / 100, 'and the backend is not taken for dead')
    })
  }
})

test('a second answer that came while this process was busy is not taken for the next one', async (t) => {
  const idle = times.find(({ what }) => what === 'while the connection is idle')
  const backend = await startAsking(t, idle?.send ?? '')
  for (let n = 0; n < 50; n++) {
    const request = clientRequest(`/live/${n}.m3u8?token=bad`)
    assert.equal(
      (await backend.ask(questionAbout(request, { sessionId: `session-${n}` }), 2_000)).kind,
      'deny',
    )
    const end = performance.now() + 10
    while (performance.now() < end);
  }
})
