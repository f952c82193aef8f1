import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { createBackend } from '../../src/backend/backend.ts'
import { readEndpoint } from '../../src/client/endpoint.ts'
import type { Outcome } from '../../src/verdict.ts'
import { startBackendProcess } from '../support/backend-process.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { questionAbout } from '../support/question-about.ts'
import { rounds } from '../support/rounds.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const TRIES = rounds(500, 10_000)
/** Questions under way at once, each about a key of its own. */
const AT_ONCE = 50

/**
 * Allows `token=good` and denies the rest. After each answer comes a second one that says the opposite.
 * `send(socket, answer, stray, sent)` decides when; `sent` adds a byte to the file once the stray is written.
 */
const lying = (send: string, file: string): string => `
const { appendFileSync } = require('node:fs')
const answer = (code) => 'HTTP/1.1 ' + code + ' X\\r\\nContent-Length: 0\\r\\n\\r\\n'
const sent = () => appendFileSync(${JSON.stringify(file)}, '.')
const send = ${send}
server.on('connection', (socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    const good = bytes.includes('token=good')
    send(socket, answer(good ? 200 : 403), answer(good ? 403 : 200), sent)
  })
})`

const times: Readonly<Record<string, string>> = {
  'in the same packet': '(socket, one, other, sent) => socket.write(one + other, sent)',
  'right after the answer': '(socket, one, other, sent) => { socket.write(one); socket.write(other, sent) }',
  'while the connection is idle':
    '(socket, one, other, sent) => { socket.write(one); setTimeout(() => socket.write(other, sent), 2) }',
}

interface Asking {
  ask(token: string, n: number): Promise<Outcome['kind']>
  /** Second answers that have been written so far. */
  strays(): number
}

async function startAsking(t: TestContext, send = ''): Promise<Asking> {
  const file = join(makeTemporaryFolder(t), 'strays')
  writeFileSync(file, '')
  const backend = createBackend({
    endpoint: readEndpoint(await startBackendProcess(t, lying(send, file))),
    concurrency: 64,
    timeout: 5_000,
    unavailableStatus: new Set(),
    groupsOf: createAddressGroupsOf(usualPrefixes),
    clock: () => performance.now(),
    onOutcome: () => {},
    onInternalError: (error) => assert.fail(String(error)),
  })
  t.after(() => backend.close())
  return {
    async ask(token, n) {
      // From as many networks: no question waits in the line. It would then be sent on a connection whose
      // second answer is about to come.
      const request = clientRequest(`/live/${n}.m3u8?token=${token}&n=${n}`, {
        address: `10.${n % AT_ONCE}.0.1`,
      })
      return (await backend.ask(questionAbout(request, { sessionId: `session-${n}` }), 5_000)).kind
    },
    strays: () => statSync(file).size,
  }
}

describe(`a second, opposite answer: no verdict swapped in ${TRIES} tries`, () => {
  for (const [what, send] of Object.entries(times)) {
    test(`that comes ${what}`, async (t) => {
      const { ask, strays } = await startAsking(t, send)
      const came: Outcome['kind'][] = []
      for (let asked = 0; asked < TRIES; asked += AT_ONCE) {
        const round = Array.from({ length: AT_ONCE }, (_, at) => asked + at)
        came.push(...(await Promise.all(round.map((n) => ask(n % 3 === 0 ? 'good' : 'bad', n)))))
        // A second answer that came after the next question would be taken for its own, by everybody.
        await until('the second answers', () => strays() >= came.length)
        // What lies in a socket unread nobody can tell from the next answer: this process reads it here.
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      }
      const wrong = came.filter((kind, n) => kind !== (n % 3 === 0 ? 'allow' : 'deny'))
      t.diagnostic(`${wrong.length} unavailable`)
      assert.deepEqual(new Set([...wrong, 'unavailable']), new Set(['unavailable']))
      assert.ok(wrong.length < TRIES / 100, 'and the backend is not taken for dead')
    })
  }
})

test('a second answer that came while this process was busy is not taken for the next one', async (t) => {
  const { ask, strays } = await startAsking(t, times['while the connection is idle'])
  for (let n = 0; n < 50; n++) {
    assert.equal(await ask('bad', n), 'deny')
    const end = performance.now() + 5_000
    while (strays() <= n && performance.now() < end);
  }
})
