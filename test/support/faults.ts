import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { UnavailableReason } from '../../src/verdict.ts'
import { startBackend } from './backend.ts'
import { startRawBackend } from './raw-backend.ts'
import type { Scope } from './scope.ts'

/** A way in which a backend gives no usable answer. */
export interface Fault {
  readonly what: string
  readonly reason: UnavailableReason
  /** Starts such a backend. The result is its URL. */
  readonly start: (scope: Scope) => Promise<string>
}

const fault = (what: string, reason: UnavailableReason, start: Fault['start']): Fault => ({
  what,
  reason,
  start,
})
const bytes = (text: string) => speaking((socket) => void socket.write(text, 'latin1'))
const lastWords = (text: string) => speaking((socket) => void socket.end(text))

/** One byte each 100 ms, without end. */
export function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 100)
  socket.on('close', () => clearInterval(timer))
}

/** Every fault with the reason that names it. */
export const faults: readonly Fault[] = [
  // No other program of this machine listens on that address.
  { what: 'refuses the connection', reason: 'refused', start: async () => 'http://127.99.9.9:9/auth' },
  { what: 'accepts and says nothing', reason: 'timeout', start: speaking(() => {}) },
  { what: 'resets the connection', reason: 'reset', start: speaking((socket) => socket.resetAndDestroy()) },
  fault('closes without a byte', 'closed', lastWords('')),
  fault('closes within the status line', 'closed', lastWords('HTTP/1.1 20')),
  fault('closes within the headers', 'closed', lastWords('HTTP/1.1 200 OK\r\nX-A: b\r\n')),
  fault('promises an answer (103) and closes', 'closed', lastWords('HTTP/1.1 103 E\r\n\r\n')),
  fault('promises an answer (100) and closes', 'closed', lastWords('HTTP/1.1 100 C\r\n\r\n')),
  fault('promises an answer (100) and is silent', 'timeout', bytes('HTTP/1.1 100 C\r\n\r\n')),
  {
    what: 'drips headers without end',
    reason: 'timeout',
    start: speaking((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Drip: ')
      drip(socket, 'x')
    }),
  },
  {
    what: 'repeats 103 without end',
    reason: 'timeout',
    start: speaking((socket) => drip(socket, 'HTTP/1.1 103 E\r\n\r\n')),
  },
  {
    what: 'repeats 100 without end',
    reason: 'timeout',
    start: speaking((socket) => drip(socket, 'HTTP/1.1 100 C\r\n\r\n')),
  },
  fault('speaks SSH', 'not-http', bytes('SSH-2.0-OpenSSH_9.2p1\r\n')),
  fault('speaks binary', 'not-http', bytes('\x00\x01\x02\xff\xfe\x00\x00\x00')),
  fault('speaks ICY', 'not-http', bytes('ICY 200 OK\r\n\r\n')),
  fault('speaks RTSP', 'not-http', bytes('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n')),
  fault('answers a status of two digits', 'not-http', bytes('HTTP/1.1 20 OK\r\n\r\n')),
  fault('answers a status of four digits', 'not-http', bytes('HTTP/1.1 2000 OK\r\n\r\n')),
  fault('answers a broken header', 'not-http', bytes('HTTP/1.1 200 OK\r\nX\x01: y\r\n\r\n')),
  fault(
    'answers headers of 100 KB',
    'not-http',
    bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`),
  ),
  {
    what: 'speaks plain HTTP where https:// is configured',
    reason: 'tls',
    start: async (scope) => (await startBackend(scope)).url.replace('http:', 'https:'),
  },
  // Node's TLS server closes the connection at plain HTTP. Others send an alert first.
  { what: 'speaks TLS where http:// is configured', reason: 'closed', start: startTlsUnderPlainUrl },
  fault('sends a TLS alert', 'not-http', bytes('\x15\x03\x03\x00\x02\x02\x16')),
  { what: 'has no address', reason: 'dns', start: async () => 'http://backend.invalid/auth' },
]

function speaking(answer: (socket: Socket) => void): Fault['start'] {
  return async (scope) => (await startRawBackend(scope, answer)).url
}

async function startTlsUnderPlainUrl(scope: Scope): Promise<string> {
  // No certificate is needed: plain HTTP fails before the handshake needs one.
  const server = createServer((_request, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
