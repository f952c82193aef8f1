import { isIP, type Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { createAddressBook } from './address-book.ts'
import type { Sending } from './client.ts'
import type { Endpoint } from './endpoint.ts'

export interface Connections {
  /** Sends what it holds over a connection; it is told what comes of it. */
  dispatch(sending: Sending): void
  close(): Promise<void>
}

/** A connection is not used for longer, so that a changed address of the backend is; milliseconds. */
const MAX_AGE = 15_000
/**
 * Connecting goes on when its question is given up: the system repeats a SYN for two minutes, ever more seldom, and questions to a
 * backend that is back would have to wait for such connections. Milliseconds past the deadline; after a pause of our own process a
 * handshake goes on within them.
 */
const AFTER_DEADLINE = 1_000

/**
 * Kept-alive connections to one backend: certificates verified, addresses from memory, answers looked at before they are parsed.
 * `concurrency` is the number of questions under way at most; a body that still comes in may hold a connection beside them. `deadline`
 * is what one question may take, in milliseconds.
 */
export function createConnections(endpoint: Endpoint, concurrency: number, deadline: number): Connections {
  const book = isIP(endpoint.host) === 0 ? createAddressBook(endpoint.host) : undefined
  const staleDeaths = new WeakSet<object>()
  const connector = buildConnector({
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not open this door.
    rejectUnauthorized: true,
    timeout: deadline + AFTER_DEADLINE,
    autoSelectFamily: true,
    ...(book === undefined ? {} : { lookup: book.lookup }),
  })
  const connect: buildConnector.connector = (options, callback) => {
    connector(options, (...result) => {
      // On failure undici passes the error alone, whatever its types say of a second value.
      const [failure, socket] = result
      if (failure === null && socket !== null) {
        guardAnswerStart(socket, (error) => staleDeaths.add(error))
        if (socket.remoteAddress !== undefined) book?.prefer(socket.remoteAddress)
      }
      callback(...result)
    })
  }
  const common = { connections: concurrency * 2, headersTimeout: 0, bodyTimeout: 0, connect }
  const url = `${endpoint.protocol}//${endpoint.authority}`
  const kept = new Pool(url, {
    ...common,
    pipelining: 1,
    ...(book === undefined ? {} : { clientTtl: MAX_AGE }),
  })
  /** Each of its requests gets a connection of its own. */
  const fresh = new Pool(url, { ...common, pipelining: 0 })

  return {
    dispatch(sending) {
      const { method, target: path, headers, body = null } = sending.request
      const options = { method, path, headers, body }
      sending.retries = (error) => {
        // Once, and only where the backend closed an idle connection while the request was on its way to it.
        if (!staleDeaths.has(error)) return false
        sending.retries = () => false
        fresh.dispatch(options, sending)
        return true
      }
      kept.dispatch(options, sending)
    },
    async close() {
      book?.stop()
      await Promise.all([kept.destroy(), fresh.destroy()])
    },
  }
}

/** Something answered, but not in HTTP/1. */
export class NotHttpError extends Error {
  override readonly name = 'NotHttpError'
  readonly code = 'ERR_NOT_HTTP'
}

/** What an answer starts with, as far as it is looked at. */
const MODEL = 'HTTP/1.1 200'
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1')
/** Bytes of an interim answer. */
const MAX_HEAD = 16_384

/**
 * Looks at the start of each answer before undici does, and keeps two things from it. Interim answers (1xx, RFC 9110 section 15.2)
 * are dropped so that the final one counts: undici destroys the connection at an unasked `100 Continue`. What is not HTTP ends the
 * connection: undici's parser takes `RTSP/1.0 200` for a 200. Call it before undici gets the socket: listeners run in order.
 *
 * `onStaleDeath` is told the error of a connection that had answered before and died before any byte of the next answer: the backend
 * had closed it while our request was on its way.
 */
export function guardAnswerStart(socket: Socket, onStaleDeath: (error: Error) => void): void {
  let held: Buffer = Buffer.alloc(0)
  // bytesWritten grows with each request: until the start of its answer has been seen, that start is looked at here first.
  let answered = socket.bytesWritten
  let answers = 0
  // The same, until any byte of it has come.
  let heard = answered

  socket.on('error', (error) => {
    if (answers > 0 && socket.bytesWritten > heard) onStaleDeath(error)
  })

  socket.on('readable', () => {
    if (answered === socket.bytesWritten && held.length === 0) return
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    heard = socket.bytesWritten
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])

    let start = startOf(held)
    while (start === 'interim') {
      const end = held.indexOf(END_OF_HEAD)
      if (end === -1) {
        if (held.length > MAX_HEAD) socket.destroy(new NotHttpError('an interim answer without an end'))
        return
      }
      held = held.subarray(end + END_OF_HEAD.length)
      start = startOf(held)
    }
    if (start === 'undecided') return
    if (start === 'not-http') {
      socket.destroy(new NotHttpError('the answer does not start with an HTTP/1 status'))
      return
    }
    const rest = held
    held = Buffer.alloc(0)
    answered = socket.bytesWritten
    answers++
    socket.unshift(rest)
  })
}

function startOf(bytes: Buffer): 'interim' | 'final' | 'not-http' | 'undecided' {
  const start = bytes.toString('latin1', 0, MODEL.length)
  // What has not come yet is taken to be right.
  if (!/^HTTP\/1\.[01] [1-9]\d{2}$/.test(start + MODEL.slice(start.length))) return 'not-http'
  if (start.length < MODEL.length) return 'undecided'
  // 101 switches protocols, which nobody asked for: undici refuses it.
  return / 1(?!01)/.test(start) ? 'interim' : 'final'
}
