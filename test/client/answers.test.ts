import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { askGate, type GateAnswer } from '../support/ask-gate.ts'
import { drip } from '../support/faults.ts'
import { startGate } from '../support/gate.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { watchStalls } from '../support/stalls.ts'
import { until } from '../support/until.ts'

const finals: readonly [string, string][] = [
  ['backend-200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['backend-403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'],
]

/** Asks about a new viewer each time, with the default action that the final answer is not. */
async function startAsking(
  t: Attempt,
  reason: string,
  speak: (socket: Socket) => void,
): Promise<{ ask: () => Promise<GateAnswer>; connections: () => number }> {
  const backend = await startRawBackend(t, speak)
  const gate = await startGate(t, {
    BACKEND_URL: backend.url,
    BACKEND_TIMEOUT: '1s',
    DEFAULT_ACTION: reason === 'backend-200' ? 'deny' : 'allow',
  })
  let viewer = 0
  return {
    ask: () => askGate(gate.port, { userAgent: `viewer-${viewer++}` }),
    connections: backend.connections,
  }
}

/** Writes each piece as a packet of its own. */
async function inPackets(socket: Socket, pieces: readonly string[]): Promise<void> {
  socket.setNoDelay(true)
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await delay(5)
    if (!socket.destroyed) socket.write(piece, 'latin1')
  }
}

describe('heads of 1xx in front of the answer', () => {
  const heads = {
    'a 100': 'HTTP/1.1 100 Continue\r\n\r\n',
    'a 100 with headers': 'HTTP/1.1 100 Continue\r\nX-UserId: nobody\r\nX-Two: 2\r\n\r\n',
    'a 100 without a phrase': 'HTTP/1.1 100\r\n\r\n',
    'a 102': 'HTTP/1.1 102 Processing\r\n\r\n',
    'a 103': 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
    'two 100s': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
    'two 103s': 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n',
    'a 100 and a 102': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n',
    'a 103 and a 100': 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
    'a 102, a 100 and a 103':
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n',
  }
  for (const [what, head] of Object.entries(heads)) {
    for (const [reason, final] of finals) {
      patientTest(`${what} in one packet with the answer: ${reason} counts`, async (t) => {
        const { ask, connections } = await startAsking(t, reason, (socket) => socket.write(head + final))
        assert.equal((await ask()).reason, reason)
        assert.equal((await ask()).reason, reason, 'and again')
        assert.equal(connections(), 1, 'on the same connection')
      })

      patientTest(`${what} in a packet before the answer: ${reason} counts`, async (t) => {
        const { ask, connections } = await startAsking(t, reason, (socket) =>
          inPackets(socket, [head, final]),
        )
        assert.equal((await ask()).reason, reason)
        assert.equal((await ask()).reason, reason, 'and again')
        assert.equal(connections(), 1, 'on the same connection')
      })
    }
  }
})

describe('answers in two packets, cut after any byte', { concurrency: 5 }, () => {
  const answers = {
    'an answer': '',
    'an answer behind a 100': 'HTTP/1.1 100 Continue\r\n\r\n',
    'an answer behind a 103': 'HTTP/1.1 103 Early Hints\r\n\r\n',
    'an answer behind a 100 and a 103': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n',
    'an answer behind a 103 and a 100': 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
  }
  for (const [what, head] of Object.entries(answers)) {
    for (const [reason, final] of finals) {
      patientTest(`${what}: ${reason} counts wherever it is cut`, async (t) => {
        const whole = head + final
        let cut = 0
        const { ask } = await startAsking(t, reason, (socket) => {
          cut++
          return inPackets(socket, [whole.slice(0, cut), whole.slice(cut)])
        })
        for (let at = 1; at < whole.length; at++) {
          assert.equal((await ask()).reason, reason, `cut after byte ${at}`)
        }
      })
    }
  }
})

describe('answers of other shapes', () => {
  const NONE = 'unavailable-not-http'
  const CHUNKED = 'Transfer-Encoding: chunked\r\n'
  const shapes: readonly [string, string, string][] = [
    ['HTTP/1.0', 'backend-200', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['no phrase', 'backend-200', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
    ['a phrase that says otherwise', 'backend-403', 'HTTP/1.1 403 OK\r\nContent-Length: 0\r\n\r\n'],
    [
      "Apache's offer of HTTP/2",
      'backend-200',
      'HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\nContent-Length: 0\r\n\r\n',
    ],
    ['no length, and the end', 'backend-200', 'HTTP/1.1 200 OK\r\n\r\nok'],
    ['a body shorter than promised', 'backend-200', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'],
    ['a broken chunk', 'backend-200', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a status of another class', 'backend-777', 'HTTP/1.1 777 Jackpot\r\nContent-Length: 0\r\n\r\n'],
    ['1,000 headers', 'backend-200', `HTTP/1.1 200 OK\r\n${'X-A: y\r\n'.repeat(1_000)}\r\n`],
    ['a header of 20 KB', NONE, `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['HTTP/0.9', NONE, '<html>200 OK</html>'],
    ['lines that end with a bare LF', NONE, 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['two unequal lengths', NONE, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n'],
    ['a length and chunks', NONE, `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n`],
    ['chunks and a length', NONE, `HTTP/1.1 200 OK\r\n${CHUNKED}Content-Length: 5\r\n\r\n0\r\n\r\n`],
    [
      'another protocol (101)',
      'unavailable-closed',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['status 000', NONE, 'HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n'],
    ['status 099', NONE, 'HTTP/1.1 099 None\r\nContent-Length: 0\r\n\r\n'],
  ]
  for (const [what, reason, answer] of shapes) {
    patientTest(`${what}: ${reason} counts`, async (t) => {
      const { ask } = await startAsking(t, reason, (socket) => socket.end(answer))
      assert.equal((await ask()).reason, reason)
    })
  }
})

describe('a body without end', { concurrency: 4 }, () => {
  const bodies: Record<string, (socket: Socket) => void> = {
    floods: (socket) => {
      const block = 'x'.repeat(65_536)
      const flood = (): void => {
        while (!socket.destroyed && socket.write(block));
      }
      socket.on('drain', flood)
      flood()
    },
    drips: (socket) => drip(socket, 'x'),
    'says nothing more': () => {},
  }
  for (const [how, speak] of Object.entries(bodies)) {
    for (const [reason, final] of finals) {
      patientTest(`that ${how}: ${reason} counts at once, and the connection is dropped soon`, async (t) => {
        let closedAt = 0
        const { ask } = await startAsking(t, reason, (socket) => {
          socket.on('close', () => {
            closedAt = performance.now()
          })
          socket.write(final.replace('Content-Length: 2', 'Content-Length: 99999999999'))
          speak(socket)
        })
        const stalls = watchStalls()
        const began = performance.now()
        const answer = await ask()
        assert.equal(answer.reason, reason)
        assert.ok(answer.took < 500 + stalls(), `answered after ${answer.took} ms`)
        await until('the connection to be dropped', () => closedAt > 0)
        assert.ok(closedAt - began < 2500, `dropped after ${closedAt - began} ms`)
        assert.equal((await ask()).reason, reason, 'the next question has another connection')
      })
    }
  }

  patientTest('does not keep the next question waiting', async (t) => {
    const { ask } = await startAsking(t, 'backend-200', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      drip(socket, 'x')
    })
    await ask()
    const stalls = watchStalls()
    const answer = await ask()
    assert.equal(answer.reason, 'backend-200')
    assert.ok(answer.took < 500 + stalls(), `answered after ${answer.took} ms`)
  })
})
