import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Listener, refusal } from './gate.ts'

/** Bytes. nginx sends up to five values of the client's of up to 8 KB each; Node's own 16 KB would end in a 431, a 500 for the viewer. */
const MAX_HEADER_SIZE = 131_072
/** Milliseconds: longer than nginx keeps an idle connection (10 s as shipped, 60 s by itself), so that nginx closes it and no request meets a closing socket. */
const KEEP_ALIVE = 75_000
/** A subrequest arrives in one piece; milliseconds. */
const HEADERS_TIMEOUT = 10_000
/** How often slow subrequests are looked for: Node's own 30 s would add to the timeout. */
const CHECK_EVERY = 1_000

/** How long an unreadable subrequest may go on arriving after it was refused; milliseconds. */
const LINGER = 1_000

/** What Node would answer with 400, 408 or 431 by itself, answered as a refusal. */
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

/** The gate's HTTP server: nothing but 200 and 403 leaves it. */
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
    // Closing at once, with bytes still coming in, would reset the connection, and nginx would lose the answer.
    setTimeout(() => socket.destroy(), LINGER).unref()
  })
  return server
}

/** Subrequests that are answered in one turn of the event loop, and in one that has accepted a connection: others may wait behind it. */
const MOST_IN_A_TURN = 8
const MOST_BESIDE_A_NEW_ONE = 1

export interface ShortTurns {
  readonly answer: Listener
  /** A connection was accepted in this turn. */
  accepted(): void
}

/**
 * libuv accepts one connection in a turn of the event loop. Were all that is ready answered in one turn, nginx's new connections would each wait
 * for a subrequest of every busy one: 50 beside 300 for 0.7 s. So a turn answers a few, and the others follow in their order.
 */
export function inShortTurns(gate: Listener): ShortTurns {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = []
  let answered = 0
  let most = MOST_IN_A_TURN

  const answer: Listener = (request, response) => {
    if (answered++ === 0) setImmediate(startTurn)
    gate(request, response)
  }

  const startTurn = (): void => {
    answered = 0
    const now = waiting.splice(0, most)
    most = MOST_IN_A_TURN
    for (const [request, response] of now) {
      // What nginx has given up meanwhile is nobody's question any more.
      if (!response.destroyed) answer(request, response)
    }
    if (answered === 0 && waiting.length > 0) setImmediate(startTurn)
  }

  return {
    answer(request, response) {
      if (answered < MOST_IN_A_TURN && waiting.length === 0) answer(request, response)
      else waiting.push([request, response])
    },
    accepted() {
      most = MOST_BESIDE_A_NEW_ONE
    },
  }
}
