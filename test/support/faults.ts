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
  /** Starts such a backend; its URL. */
  readonly start: (scope: Scope) => Promise<string>
}

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
  { what: 'closes without a byte', reason: 'closed', start: lastWords('') },
  { what: 'closes within the status line', reason: 'closed', start: lastWords('HTTP/1.1 20') },
  { what: 'closes within the headers', reason: 'closed', start: lastWords('HTTP/1.1 200 OK\r\nX-A: b\r\n') },
  {
    what: 'promises an answer (103) and closes',
    reason: 'closed',
    start: lastWords('HTTP/1.1 103 E\r\n\r\n'),
  },
  {
    what: 'promises an answer (100) and closes',
    reason: 'closed',
    start: lastWords('HTTP/1.1 100 C\r\n\r\n'),
  },
  {
    what: 'promises an answer (100) and is silent',
    reason: 'timeout',
    start: bytes('HTTP/1.1 100 C\r\n\r\n'),
  },
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
  { what: 'speaks SSH', reason: 'not-http', start: bytes('SSH-2.0-OpenSSH_9.2p1\r\n') },
  { what: 'speaks binary', reason: 'not-http', start: bytes('\x00\x01\x02\xff\xfe\x00\x00\x00') },
  { what: 'speaks ICY', reason: 'not-http', start: bytes('ICY 200 OK\r\n\r\n') },
  { what: 'speaks RTSP', reason: 'not-http', start: bytes('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n') },
  { what: 'answers a status of two digits', reason: 'not-http', start: bytes('HTTP/1.1 20 OK\r\n\r\n') },
  { what: 'answers a status of four digits', reason: 'not-http', start: bytes('HTTP/1.1 2000 OK\r\n\r\n') },
  {
    what: 'answers a broken header',
    reason: 'not-http',
    start: bytes('HTTP/1.1 200 OK\r\nX\x01: y\r\n\r\n'),
  },
  {
    what: 'answers headers of 100 KB',
    reason: 'not-http',
    start: bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`),
  },
  {
    what: 'speaks plain HTTP where https:// is configured',
    reason: 'tls',
    start: async (scope) => (await startBackend(scope)).url.replace('http:', 'https:'),
  },
  // Node's TLS server hangs up on plain HTTP; others send an alert first.
  { what: 'speaks TLS where http:// is configured', reason: 'closed', start: startTlsUnderPlainUrl },
  { what: 'sends a TLS alert', reason: 'not-http', start: bytes('\x15\x03\x03\x00\x02\x02\x16') },
  { what: 'has no address', reason: 'dns', start: async () => 'http://backend.invalid/auth' },
]

function speaking(answer: (socket: Socket) => void): Fault['start'] {
  return async (scope) => (await startRawBackend(scope, answer)).url
}

async function startTlsUnderPlainUrl(scope: Scope): Promise<string> {
  // Without a certificate: plain HTTP fails before one would be needed.
  const server = createServer((_request, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
