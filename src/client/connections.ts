import { isIP, type Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { createAddressBook } from './address-book.ts'
import type { Sending } from './client.ts'
import type { Endpoint } from './endpoint.ts'

interface Connections {
  /** Sends its request over a connection and passes undici's events to it. */
  dispatch(sending: Sending): void
  close(): Promise<void>
}

/**
 * A connection is used no longer than this, so that a new address of the backend takes effect; milliseconds.
 */
const MAX_AGE = 15_000
/**
 * How long a connection attempt may go on after the deadline of its question; milliseconds. Without this
 * bound it goes on for two minutes, with rarer and rarer SYNs, and questions to a recovered backend would
 * wait for it. With a bound of zero a pause of our own process would end handshakes.
 */
const AFTER_DEADLINE = 1_000

/**
 * Kept-alive connections to one backend. Certificates are verified, addresses come from memory, and the start
 * of each answer is checked before it is parsed.
 * @param concurrency the most questions under way; bodies that still arrive may hold as many connections
 * again
 * @param deadline what one question may take, in milliseconds
 */
export function createConnections(endpoint: Endpoint, concurrency: number, deadline: number): Connections {
  const book = isIP(endpoint.host) === 0 ? createAddressBook(endpoint.host) : undefined
  const staleErrors = new WeakSet<object>()
  const connector = buildConnector({
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment has no effect.
    rejectUnauthorized: true,
    timeout: deadline + AFTER_DEADLINE,
    autoSelectFamily: true,
    ...(book === undefined ? {} : { lookup: book.lookup }),
  })
  const connect: buildConnector.connector = (options, callback) => {
    connector(options, (...result) => {
      // On failure undici passes only the error, although its types promise a second value.
      const [failure, socket] = result
      if (failure === null && socket !== null) {
        guardAnswerStart(socket, (error) => staleErrors.add(error))
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
  /** Every request of this pool gets a new connection. */
  const fresh = new Pool(url, { ...common, pipelining: 0 })

  return {
    dispatch(sending) {
      const { method, target: path, headers, body = null } = sending.request
      const options = { method, path, headers, body }
      sending.retries = (error) => {
        // Only if the backend closed an idle connection while the request was on its way.
        if (!staleErrors.has(error)) return false
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

/** What answered does not speak HTTP/1. */
class NotHttpError extends Error {
  override readonly name = 'NotHttpError'
  readonly code = 'ERR_NOT_HTTP'
}

/** The start of an answer, as long as the part that is checked. */
const MODEL = 'HTTP/1.1 200'
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1')
/** Most bytes of an interim answer. */
const MAX_HEAD = 16_384

/**
 * Checks the start of each answer: undici reads through `socket.read`, which this replaces. It drops interim
 * answers (1xx, RFC 9110 section 15.2), so that the final one counts: undici destroys the connection at an
 * unrequested `100 Continue`. It destroys a connection that does not answer in HTTP: undici's parser accepts
 * `RTSP/1.0 200` as a 200.
 * @param onStale called with the error of a connection that had answered before and failed before any byte of
 * the next answer: the backend had closed it while our request was on its way
 */
function guardAnswerStart(socket: Socket, onStale: (error: Error) => void): void {
  const read = socket.read
  /** The bytes of a start that has not arrived in full. */
  let held: Buffer | undefined
  // `bytesWritten` at the last checked start of an answer: it grows with each request, so a higher value
  // means that the start of the next answer must be checked.
  let answered = socket.bytesWritten
  let answers = 0
  // `bytesWritten` when the last bytes of an answer arrived.
  let received = answered

  socket.on('error', (error) => {
    if (answers > 0 && socket.bytesWritten > received) onStale(error)
  })

  socket.read = (size?: number): Buffer | null => {
    const chunk: Buffer | null = read.call(socket, size)
    if (chunk === null) return null
    const written = socket.bytesWritten
    if (answered === written && held === undefined) return chunk
    received = written
    let bytes = held === undefined ? chunk : Buffer.concat([held, chunk])

    let start = startOf(bytes)
    while (start === 'interim') {
      const end = bytes.indexOf(END_OF_HEAD)
      if (end === -1) break
      bytes = bytes.subarray(end + END_OF_HEAD.length)
      start = startOf(bytes)
    }
    held = start === 'final' ? undefined : bytes
    if (start === 'final') {
      answered = written
      answers++
      return bytes
    }
    if (start === 'not-http')
      socket.destroy(new NotHttpError('the answer does not start with an HTTP/1 status'))
    else if (bytes.length > MAX_HEAD) socket.destroy(new NotHttpError('an interim answer without an end'))
    return null
  }
}

function startOf(bytes: Buffer): 'interim' | 'final' | 'not-http' | 'undecided' {
  const start = bytes.toString('latin1', 0, MODEL.length)
  // Bytes that have not arrived yet are taken from MODEL.
  if (!/^HTTP\/1\.[01] [1-9]\d{2}$/.test(start + MODEL.slice(start.length))) return 'not-http'
  if (start.length < MODEL.length) return 'undecided'
  // 101 is final: it switches protocols, which undici refuses.
  return / 1(?!01)/.test(start) ? 'interim' : 'final'
}
