import { isIP } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { createAddressBook } from './address-book.ts'
import { guardAnswerStart } from './answer-start.ts'
import type { Endpoint } from './endpoint.ts'
import type { Sending } from './sending.ts'

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
