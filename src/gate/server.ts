import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Listener, refusal } from './gate.ts'

/**
 * Bytes. nginx sends up to five client values of up to 8 KB each. With Node's default of 16 KB the answer
 * would be a 431, which is a 500 for the viewer.
 */
const MAX_HEADER_SIZE = 131_072
/**
 * Milliseconds; longer than nginx keeps an idle connection (10 s as shipped, 60 s by default). So nginx
 * closes it first, and no request is sent on a socket that is closing.
 */
const KEEP_ALIVE = 75_000
/** The time in which a subrequest must arrive; milliseconds. */
const HEADERS_TIMEOUT = 10_000
/** How often that is checked, in milliseconds. Node's default of 30 s would add to the timeout. */
const CHECK_EVERY = 1_000

/** After an unreadable subrequest is refused, its connection stays open this long; milliseconds. */
const LINGER = 1_000

/** The answer where Node itself would send a 400, 408 or 431. */
const rawRefusal = [
  'HTTP/1.1 403 Forbidden',
  'Content-Length: 0',
  `X-Auth-Verdict: ${refusal.verdict}`,
  `X-Auth-Source: ${refusal.source}`,
  `X-Auth-Reason: ${refusal.reason}`,
  'X-Accel-Expires: 0',
  'Connection: close',
  '\r\n',
].join('\r\n')

/**
 * The gate's HTTP server: every answer is a 200 or a 403.
 * @param onRefused called with the reason when a request is not readable as HTTP
 */
export function createGateServer(gate: Listener, onRefused: (why: string) => void): Server {
  const { answer, accepted } = inShortTurns(gate)
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_SIZE,
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: CHECK_EVERY,
      requireHostHeader: false,
    },
    answer,
  )
  server.on('connection', accepted)
  server.on('checkContinue', answer)
  server.on('checkExpectation', answer)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) {
      socket.destroy()
      return
    }
    if (socket.writableEnded) return
    onRefused(`not readable as HTTP (${error.code ?? error.message})`)
    socket.end(rawRefusal)
    // Closing at once while bytes still arrive would reset the connection, and nginx would not get the
    // answer.
    setTimeout(() => socket.destroy(), LINGER).unref()
  })
  return server
}

/** Subrequests that one turn of the event loop answers. */
const MOST_IN_A_TURN = 64
/** The same while connections come in, and after a turn that accepted one: more of them may be waiting. */
const MOST_IN_A_SHORT_TURN = 8
const MOST_AFTER_ACCEPT = 1
/** Turns stay short so long after a connection was accepted; milliseconds. */
const SHORT_FOR = 1_000

interface ShortTurns {
  readonly answer: Listener
  /** Call it when a connection was accepted. */
  accepted(): void
}

/**
 * Limits how many subrequests one turn of the event loop answers; the others follow in their order. libuv
 * accepts only one connection in each turn. Without the limit each new connection would wait for one
 * subrequest of every busy connection: 50 new ones beside 300 busy ones waited 0.7 s.
 */
export function inShortTurns(gate: Listener): ShortTurns {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = []
  let answered = 0
  let usual = MOST_IN_A_TURN
  let most = usual
  let shortUntil = 0

  const answer: Listener = (request, response) => {
    if (answered++ === 0) setImmediate(startTurn)
    gate(request, response)
  }

  const startTurn = (): void => {
    answered = 0
    const now = waiting.splice(0, most)
    usual = performance.now() < shortUntil ? MOST_IN_A_SHORT_TURN : MOST_IN_A_TURN
    most = usual
    for (const [request, response] of now) {
      // nginx has closed this one: nobody waits for its answer.
      if (!response.destroyed) answer(request, response)
    }
    if (answered === 0 && waiting.length > 0) setImmediate(startTurn)
  }

  return {
    answer(request, response) {
      if (answered < usual && waiting.length === 0) answer(request, response)
      else waiting.push([request, response])
    },
    accepted() {
      shortUntil = performance.now() + SHORT_FOR
      usual = MOST_IN_A_SHORT_TURN
      most = MOST_AFTER_ACCEPT
    },
  }
}
