import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { readSubrequest } from '../../src/gate/read-subrequest.ts'
import { askGate, type GateQuestion, gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, exchange } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'

/**
 * Milliseconds in which a subrequest must have arrived: as shipped, in these tests, and what the gate and a
 * busy machine may add.
 */
const SHIPPED_TIMEOUT = 10_000
const HEADERS_TIMEOUT = 1_000
const MARGIN = 3_000

const usual = {
  'x-original-ip': '192.0.2.1',
  'x-original-origin': 'http://h',
  'x-original-path': '/live/x.ts|',
  'x-original-uri': '/live/x.ts?token=1',
  'x-original-ua': 'VLC',
  'x-original-playback-id': '0F3C',
  'x-original-request-id': '0f3c',
}
type Name = keyof typeof usual
const isRead = (headers: Partial<Record<Name, string>>): boolean => {
  const read = readSubrequest(headers)
  if ('refused' in read) assert.match(read.refused, /\w+ \w+/)
  return !('refused' in read)
}

describe('a header of nginx', () => {
  const x = (count: number): string => 'x'.repeat(count)
  /** By length as sent on: there a raw byte takes three. */
  const limits: readonly (readonly [name: Name, most: number, value: (length: number) => string])[] = [
    ['x-original-path', 4_096, (n) => `/${x(n - 1)}|`],
    ['x-original-path', 4_096, (n) => `/${'\xff'.repeat(1_365)}${x(n - 4_096)}|`],
    ['x-original-uri', 8_192, (n) => `/x?${x(n)}`],
    ['x-original-uri', 8_192, (n) => `/x?xx${'\xff'.repeat(2_730)}${x(n - 8_192)}`],
    ['x-original-uri', 500, (n) => `/x?${'a&'.repeat(n - 1)}b`],
    ['x-original-uri', 500, (n) => `/x?${'&'.repeat(n - 1)}`],
    ['x-original-ua', 2_048, x],
    ['x-original-ua', 2_048, (n) => `xx${'\xff'.repeat(682)}${x(n - 2_048)}`],
    ['x-original-playback-id', 256, x],
    ['x-original-origin', 300, (n) => `http://${x(n - 7)}`],
  ]
  test('is read up to its limit, and refused beyond', () => {
    for (const [name, most, value] of limits) {
      assert.ok(isRead({ ...usual, [name]: value(most) }), `${name} of ${most}`)
      assert.ok(!isRead({ ...usual, [name]: value(most + 1) }), `${name} of ${most + 1}`)
    }
  })

  /** Headers without which a request is refused. */
  const needed: readonly Name[] = ['x-original-ip', 'x-original-origin', 'x-original-path', 'x-original-uri']
  /** Doubled, these are no values any more. A path with a bar, a comma and a space is no file's. */
  const single: readonly Name[] = ['x-original-ip', 'x-original-origin', 'x-original-uri']
  for (const name of Object.keys(usual) as Name[]) {
    test(`${name} that is missing, empty or doubled`, () => {
      const { [name]: value, ...others } = usual
      assert.equal(isRead(others), !needed.includes(name), 'missing')
      assert.equal(isRead({ ...usual, [name]: '' }), !needed.includes(name), 'empty')
      // As Node joins them.
      assert.equal(isRead({ ...usual, [name]: `${value}, ${value}` }), !single.includes(name), 'doubled')
    })
  }
})

let questions = 0

/** The lines of a subrequest that is unique. */
function newQuestion(more: Pick<GateQuestion, 'uri' | 'userAgent'> = {}): string[] {
  questions++
  return gateHeaders({ address: `192.0.2.${questions % 250}`, userAgent: `viewer-${questions}`, ...more })
}

function head(start: string, lines: readonly string[]): string {
  return [start, 'Host: alta-auth', 'Connection: close', ...lines, '', ''].join('\r\n')
}

describe('the gate', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const gate = forSuite(async (scope) => {
    const gate = await startGate(scope, { BACKEND_URL: backend.url })
    const { gateServer } = gate.service
    assert.deepEqual(
      [gateServer.headersTimeout, gateServer.requestTimeout],
      [SHIPPED_TIMEOUT, SHIPPED_TIMEOUT],
    )
    Object.assign(gateServer, { headersTimeout: HEADERS_TIMEOUT, requestTimeout: HEADERS_TIMEOUT })
    return gate
  })

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
    assert.ok(took < 3_000, `${took} ms`)
  }

  const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `X-${n}: ${n}`)
  const refusals: Readonly<Record<string, readonly string[]>> = {
    'too many parameters': newQuestion({ uri: `/x?${'a=1&'.repeat(500)}b=2` }),
    'a control byte in a header': newQuestion({ userAgent: 'a\x01b' }),
    'a header of 200 KB': [...newQuestion(), `X-Big: ${'x'.repeat(200_000)}`],
    '3,000 headers in front of its own': [...many(3_000), ...newQuestion()],
  }
  for (const [what, lines] of Object.entries(refusals)) {
    test(`refuses ${what}, asks nobody, and says why`, async () => {
      const asked = backend.asked.length
      const logged = gate.log.length
      const answer = await send(head('GET /auth HTTP/1.1', lines))
      assert.equal(answer.status, 403)
      assert.match(answer.head, /^X-Auth-Reason: bad-request$/m)
      assert.equal(backend.asked.length, asked)
      const why = gate.log.slice(logged).map((line) => line['why'])
      assert.equal(why.length, 1)
      assert.match(String(why[0]), /\w+ \w+/)
      await assertAnswersOthers()
    })
  }

  test('judges a request with each value at its limit', async () => {
    const path = `/${'x'.repeat(4_095)}`
    const lines = newQuestion({ uri: `${path}?${'x'.repeat(8_192)}`, userAgent: 'x'.repeat(2_048) })
    assert.match((await send(head('GET /auth HTTP/1.1', lines))).head, /^X-Auth-Reason: backend-200$/m)
  })

  test('takes 50 headers that are not its own for nothing, and refuses 65', async () => {
    for (const [count, reason] of [
      [50, /backend-200/],
      [65, /bad-request/],
    ] as const)
      assert.match((await send(head('GET /auth HTTP/1.1', [...many(count), ...newQuestion()]))).head, reason)
  })

  test('answers others while 500 connections are idle and 500 more have sent half a head', async (t) => {
    const sockets = Array.from({ length: 1_000 }, (_, n) => {
      const socket = open(t)
      if (n % 2 === 0) socket.write('GET /auth HTTP/1.1\r\nX-Original-Ip: ')
      return socket
    })
    await until('all connections', () => sockets.every(({ connecting }) => !connecting))
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

  test('cuts off within its header timeout who is slow', async (t) => {
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
        setTimeout(() => resolve(false), HEADERS_TIMEOUT + MARGIN + 5_000).unref()
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
