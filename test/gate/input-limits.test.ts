import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { askGate, type GateQuestion, gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, exchange } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** Milliseconds in which a subrequest must have arrived, and what the gate and a busy machine may add. */
const HEADERS_TIMEOUT = 10_000
const MARGIN = 3_000

const methods = [
  'HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PURGE PROPFIND MKCOL COPY MOVE LOCK UNLOCK REPORT',
  'SEARCH SUBSCRIBE NOTIFY SOURCE QUERY M-SEARCH GETX get BREW',
].flatMap((line) => line.split(' '))
const otherTargets = ['/', '/auth/', '/Auth', '//auth', '/auth/x', '/%61uth', '/auth%2f', '*', '/readyz']

let questions = 0

/** The lines of a subrequest that is unique. */
function newQuestion(more: Pick<GateQuestion, 'uri' | 'userAgent' | 'origin'> = {}): string[] {
  questions++
  return gateHeaders({ address: `192.0.2.${questions % 250}`, userAgent: `viewer-${questions}`, ...more })
}

function head(start: string, lines: readonly string[]): string {
  return [start, 'Host: alta-auth', 'Connection: close', ...lines, '', ''].join('\r\n')
}

describe('the gate', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const gate = forSuite((scope) => startGate(scope, { BACKEND_URL: backend.url }))

  const send = (text: string): Promise<ClientAnswer> =>
    exchange({ port: gate.port }, Buffer.from(text, 'latin1'))

  const open = (t: TestContext): Socket => {
    const socket = connect({ port: gate.port, host: '127.0.0.1', noDelay: true }).on('error', () => {})
    t.after(() => socket.destroy())
    return socket
  }

  /** A new viewer gets a real verdict, soon. */
  const assertAnswersOthers = async (): Promise<void> => {
    const userAgent = `other-${++questions}`
    const { status, reason, took } = await askGate(gate.port, { userAgent })
    assert.equal(`${status} ${reason}`, '200 backend-200')
    assert.ok(took < 1_000, `${took} ms`)
  }

  const refusals: Readonly<Record<string, () => string>> = {
    'a query of 9 KB': () =>
      head('GET /auth HTTP/1.1', newQuestion({ uri: `/x?token=${'x'.repeat(9_000)}` })),
    'a path of 5 KB': () => head('GET /auth HTTP/1.1', newQuestion({ uri: `/${'x'.repeat(5_000)}?token=1` })),
    '501 parameters': () => head('GET /auth HTTP/1.1', newQuestion({ uri: `/x?${'a=1&'.repeat(500)}b=2` })),
    'a User-Agent of 3 KB': () => head('GET /auth HTTP/1.1', newQuestion({ userAgent: 'x'.repeat(3_000) })),
    'a header of 200 KB': () =>
      head('GET /auth HTTP/1.1', [...newQuestion(), `X-Big: ${'x'.repeat(200_000)}`]),
    'headers of 200 KB in all': () =>
      head('GET /auth HTTP/1.1', [
        ...newQuestion(),
        ...Array.from({ length: 200 }, (_, n) => `X-${n}: ${'x'.repeat(1_000)}`),
      ]),
    '20,000 headers': () =>
      head('GET /auth HTTP/1.1', [
        ...Array.from({ length: 20_000 }, (_, n) => `X-${n}: ${n}`),
        ...newQuestion(),
      ]),
    'a target of 200 KB': () => head(`GET /auth?${'x'.repeat(200_000)} HTTP/1.1`, newQuestion()),
  }
  for (const [what, text] of Object.entries(refusals)) {
    test(`refuses ${what}, asks nobody, and says why`, async () => {
      const asked = backend.asked.length
      const lines = gate.log.length
      const answer = await send(text())
      assert.equal(answer.status, 403)
      assert.match(answer.head, /^X-Auth-Reason: bad-request$/m)
      assert.equal(backend.asked.length, asked)
      const why = gate.log.slice(lines).map((line) => line['why'])
      assert.equal(why.length, 1)
      assert.match(String(why[0]), /\w+ \w+/)
      await assertAnswersOthers()
    })
  }

  /** By length as sent on: there a raw byte takes three. */
  const limits: readonly (readonly [what: string, most: number, lines: (length: number) => string[]])[] = [
    ['a path', 4_096, (n) => newQuestion({ uri: `/${'x'.repeat(n - 1)}` })],
    [
      'a path of raw bytes',
      4_096,
      (n) => newQuestion({ uri: `/${'\xff'.repeat(1_365)}${'x'.repeat(n - 4_096)}` }),
    ],
    ['a query', 8_192, (n) => newQuestion({ uri: `/x?${'x'.repeat(n)}` })],
    [
      'a query of raw bytes',
      8_192,
      (n) => newQuestion({ uri: `/x?xx${'\xff'.repeat(2_730)}${'x'.repeat(n - 8_192)}` }),
    ],
    ['a User-Agent', 2_048, (n) => newQuestion({ userAgent: 'x'.repeat(n) })],
    [
      'a User-Agent of raw bytes',
      2_048,
      (n) => newQuestion({ userAgent: `xx${'\xff'.repeat(682)}${'x'.repeat(n - 2_048)}` }),
    ],
    ['a playback id', 256, (n) => [...newQuestion(), `X-Original-Playback-Id: ${'x'.repeat(n)}`]],
    ['an origin', 300, (n) => newQuestion({ origin: `http://${'x'.repeat(n - 7)}` })],
  ]
  for (const [what, most, lines] of limits) {
    test(`${what} of ${most} bytes is judged, one of ${most + 1} is refused`, async () => {
      for (const [length, reason] of [
        [most, 'backend-200'],
        [most + 1, 'bad-request'],
      ] as const) {
        const { head: answered } = await send(head('GET /auth HTTP/1.1', lines(length)))
        assert.match(answered, new RegExp(`^X-Auth-Reason: ${reason}$`, 'm'), `${length} bytes`)
      }
    })
  }

  for (const [count, status] of [
    [50, 200],
    [65, 403],
    [3_000, 403],
  ] as const) {
    test(`${count} headers that are not its own are ${status === 200 ? 'nothing to it' : 'refused'}`, async () => {
      const others = Array.from({ length: count }, (_, n) => `X-${n}: ${n}`)
      const answer = await send(head('GET /auth HTTP/1.1', [...others, ...newQuestion()]))
      assert.equal(answer.status, status)
      assert.match(answer.head, status === 200 ? /backend-200/ : /bad-request/)
    })
  }

  test('answers nothing but GET /auth', async (t) => {
    const asked = backend.asked.length
    const starts = [
      ...methods.map((method) => `${method} /auth HTTP/1.1`),
      ...otherTargets.map((target) => `GET ${target} HTTP/1.1`),
    ]
    for (const start of starts) {
      const { status, head: answered } = await send(head(start, newQuestion()))
      // Node closes a CONNECT by itself, without an answer.
      if (start.startsWith('CONNECT')) assert.ok(status === 0 || status === 403, answered)
      else assert.equal(status, 403, start)
    }
    assert.equal(backend.asked.length, asked)
    assert.equal((await send(head('GET /auth HTTP/1.1', newQuestion()))).status, 200)
    t.diagnostic(`${methods.length} methods, ${otherTargets.length} targets`)
  })

  test('answers others while 500 connections are idle and 500 more have sent half a head', async (t) => {
    let connected = 0
    for (let count = 0; count < 1_000; count++) {
      const socket = open(t).on('connect', () => connected++)
      if (count % 2 === 0) socket.write('GET /auth HTTP/1.1\r\nX-Original-Ip: ')
    }
    await until('all connections', () => connected === 1_000)
    for (let count = 0; count < 20; count++) await assertAnswersOthers()
  })

  const slow: Readonly<Record<string, (socket: Socket) => void>> = {
    'says nothing': () => {},
    'drips a head without end': (socket) => {
      socket.write('GET /auth HTTP/1.1\r\nX-Drip: ')
      drip(socket, 'x')
    },
    'drips headers without end': (socket) => {
      socket.write('GET /auth HTTP/1.1\r\n')
      drip(socket, 'X-Drip: x\r\n')
    },
    'drips line breaks': (socket) => drip(socket, '\r\n'),
    'drips its second head': (socket) => {
      const first = head('GET /auth HTTP/1.1', newQuestion()).replace('Connection: close\r\n', '')
      socket.write(`${first}GET /auth HTTP/1.1\r\nX-Drip: `)
      drip(socket, 'x')
    },
    'drips a body without end': (socket) => {
      socket.write(
        head('GET /auth HTTP/1.1', ['Content-Length: 1000000']).replace('Connection: close\r\n', ''),
      )
      drip(socket, 'x')
    },
  }

  test('cuts off within its header timeout who is slow', { timeout: 60_000 }, async (t) => {
    const cutOff = Object.entries(slow).map(async ([what, act]) => {
      const socket = open(t)
      let received = ''
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1')
      })
      const began = performance.now()
      act(socket)
      const closed = await new Promise<boolean>((resolve) => {
        socket.on('close', () => resolve(true))
        setTimeout(() => resolve(false), HEADERS_TIMEOUT + MARGIN + 5_000)
      })
      const took = performance.now() - began
      for (const [status] of received.matchAll(/^HTTP\/1\.1 .*$/gm)) {
        assert.match(status, /^HTTP\/1\.1 (200 OK|403 Forbidden)/, what)
      }
      return { what, took: Math.round(took), inTime: closed && took < HEADERS_TIMEOUT + MARGIN }
    })
    const idle = open(t)
    let answers = 0
    const ask = (): void => {
      idle.write(head('GET /auth HTTP/1.1', newQuestion()).replace('Connection: close\r\n', ''))
    }
    idle.on('data', (bytes) => {
      answers += bytes.toString('latin1').split('HTTP/1.1 200 OK').length - 1
    })
    ask()
    const late = (await Promise.all(cutOff)).filter(({ inTime }) => !inTime)
    assert.deepEqual(late, [])
    ask()
    await until('an answer on the connection that was idle between two questions', () => answers === 2)
    await assertAnswersOthers()
  })

  test('and none of it was an error of ours', () => {
    assert.doesNotMatch(gate.logText(), /internal error|"level":"error"/)
  })
})

function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 200)
  socket.on('close', () => clearInterval(timer))
}
