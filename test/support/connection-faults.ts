import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Behaviour, FaultProxy } from './fault-proxy.ts'
import { drip } from './faults.ts'

/** What the bytes of a faulty backend mean: no answer, or a verdict. */
export type Meaning = 'unavailable' | 'backend-200' | 'backend-403' | `backend-${number}`

/** A fault of a connection, or of the protocol on it, that is switched on while the gate runs. */
export interface ConnectionFault {
  readonly what: string
  readonly means: Meaning
  /** Switches the fault on. Call the result to end what goes on by itself. */
  readonly begin: (proxy: FaultProxy) => Promise<() => void | Promise<void>>
}

/** BACKEND_TIMEOUT of the gates that meet these faults; milliseconds. */
export const DEADLINE = 600

const NOTHING = (): void => {}
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const NO = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'

const behaving =
  (behaviour: Behaviour): ConnectionFault['begin'] =>
  async (proxy) => {
    await proxy.behave(behaviour)
    return NOTHING
  }
const bytes = (text: string) => behaving({ kind: 'garbage', bytes: text })
const ending = (text: string) =>
  behaving({ kind: 'answer', speak: (socket) => void socket.end(text, 'latin1') })
const speaking = (speak: (socket: Socket) => void) => behaving({ kind: 'answer', speak })

/** Sends `total` bytes as fast as the other side takes them. */
function flood(socket: Socket, total: number): void {
  const block = Buffer.alloc(65_536, 'x')
  let left = total
  const pour = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= block.length
      if (!socket.write(block)) return
    }
  }
  socket.on('drain', pour)
  pour()
}

/** A program that listens, never accepts, and has a queue for one. */
const NEVER_ACCEPTS = `require('node:net').createServer().listen({ port: +process.argv[1], host: process.argv[2], backlog: 1 }, () => {
  process.stdout.write('listening')
  process.kill(process.pid, 'SIGSTOP')
})`

/** Only a frozen program with a full queue listens there: a SYN gets no answer. */
async function blackHole(proxy: FaultProxy): Promise<() => Promise<void>> {
  await proxy.behave({ kind: 'refuse' })
  const { host, port } = proxy
  const frozen = spawn(process.execPath, ['-e', NEVER_ACCEPTS, String(port), host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(frozen.stdout, 'data')
  const fillers = [1, 2, 3].map(() => connect(port, host).on('error', NOTHING))
  await once(fillers[0] as Socket, 'connect')
  return async () => {
    if (frozen.killed) return
    for (const filler of fillers) filler.destroy()
    const exited = once(frozen, 'exit')
    frozen.kill('SIGKILL')
    await exited
  }
}

/** Every fault that lasts. Faults that pass have tests of their own. */
export const connectionFaults: readonly ConnectionFault[] = [
  { what: 'refuses connections', means: 'unavailable', begin: behaving({ kind: 'refuse' }) },
  { what: 'does not even answer a SYN', means: 'unavailable', begin: blackHole },
  { what: 'is silent on open connections', means: 'unavailable', begin: behaving({ kind: 'hang' }) },
  { what: 'closes without a byte', means: 'unavailable', begin: behaving({ kind: 'close' }) },
  { what: 'resets', means: 'unavailable', begin: behaving({ kind: 'reset' }) },
  {
    what: 'closes within the status line',
    means: 'unavailable',
    begin: behaving({ kind: 'truncate', bytes: 10 }),
  },
  {
    what: 'closes within the headers',
    means: 'unavailable',
    begin: behaving({ kind: 'truncate', bytes: 30 }),
  },
  { what: 'drips its headers', means: 'unavailable', begin: behaving({ kind: 'drip', every: 50 }) },
  {
    what: 'drips an endless header',
    means: 'unavailable',
    begin: speaking((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Drip: ')
      drip(socket, 'x')
    }),
  },
  {
    what: 'drips an endless body',
    means: 'backend-200',
    begin: speaking((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      drip(socket, 'x')
    }),
  },
  {
    what: 'sends a body of 1 GiB',
    means: 'backend-403',
    begin: speaking((socket) => {
      socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${2 ** 30}\r\n\r\n`)
      flood(socket, 2 ** 30)
    }),
  },
  {
    what: 'sends less body than it promised',
    means: 'backend-200',
    begin: ending('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew'),
  },
  {
    what: 'chunks its body badly',
    means: 'backend-403',
    begin: bytes('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbad\r\n'),
  },
  {
    what: 'sends a header of 20 KB',
    means: 'unavailable',
    begin: bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`),
  },
  {
    what: 'sends 1,000 headers',
    means: 'backend-200',
    begin: bytes(
      `HTTP/1.1 200 OK\r\n${Array.from({ length: 1_000 }, (_, n) => `X${n}: y\r\n`).join('')}Content-Length: 0\r\n\r\n`,
    ),
  },
  { what: 'answers in HTTP/0.9', means: 'unavailable', begin: ending('<html>200 OK</html>') },
  {
    what: 'ends its lines with a bare LF',
    means: 'unavailable',
    begin: bytes('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  },
  {
    what: 'sends two unequal Content-Lengths',
    means: 'unavailable',
    begin: bytes('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n'),
  },
  {
    what: 'sends Content-Length and Transfer-Encoding',
    means: 'unavailable',
    begin: bytes('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  },
  {
    what: 'sends Transfer-Encoding and Content-Length',
    means: 'unavailable',
    begin: bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'),
  },
  {
    what: 'switches protocols (101)',
    means: 'unavailable',
    begin: bytes('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
  },
  {
    what: 'repeats 103 without end',
    means: 'unavailable',
    begin: speaking((socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')),
  },
  { what: 'says 100 first', means: 'backend-200', begin: bytes(`HTTP/1.1 100 Continue\r\n\r\n${OK}`) },
  {
    what: 'says 103 first',
    means: 'backend-403',
    begin: bytes(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${NO}`),
  },
  { what: 'answers 000', means: 'unavailable', begin: bytes(OK.replace('200', '000')) },
  { what: 'answers 099', means: 'unavailable', begin: bytes(OK.replace('200', '099')) },
  { what: 'answers 999', means: 'backend-999', begin: bytes(OK.replace('200', '999')) },
  { what: 'speaks SSH', means: 'unavailable', begin: bytes('SSH-2.0-OpenSSH_9.2p1\r\n') },
  { what: 'speaks binary', means: 'unavailable', begin: bytes('\x00\x01\x02\xff\xfe\x00') },
  { what: 'answers just before the deadline', means: 'backend-200', begin: answeringAfter(0.6) },
  { what: 'answers just after the deadline', means: 'unavailable', begin: answeringAfter(1.3) },
  {
    what: 'becomes slower than the deadline',
    means: 'unavailable',
    begin: behaving({ kind: 'delay', milliseconds: 2.3 * DEADLINE }),
  },
]

function answeringAfter(share: number): ConnectionFault['begin'] {
  return speaking((socket) => void setTimeout(() => socket.write(OK), DEADLINE * share))
}
