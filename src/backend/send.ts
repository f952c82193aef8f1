import { isIP } from 'node:net'
import axios, { type AxiosAdapter } from 'axios'
import { buildConnector, Pool } from 'undici'
import { createAddressBook } from './address-book.ts'
import { guardAnswerStart } from './answer-start.ts'
import type { Endpoint } from './endpoint.ts'
import type { Question } from './question.ts'

/** The head of a backend's HTTP answer; header names in lower case. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Sender {
  /** Sends one question and resolves at the head of the answer. Rejects when there is none, or when `signal` aborts. */
  send(question: Question, signal: AbortSignal): Promise<Reply>
  close(): Promise<void>
}

/** Connections to one backend; further questions wait for one within their deadline. */
const CONNECTIONS = 64
/** A verdict needs no body: this much is read to keep the connection, for this long (milliseconds), then it is closed. */
const MAX_BODY = 65_536
const MAX_BODY_TIME = 1_000

/**
 * axios over undici's `Pool.request`. axios's own adapter would follow redirects, send our headers along, obey `HTTP_PROXY`, and its
 * `timeout` never fires on a dripping answer; none of that exists here.
 */
export function createSender(endpoint: Endpoint): Sender {
  const book = isIP(endpoint.host) === 0 ? createAddressBook(endpoint.host) : undefined
  const connector = buildConnector({
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment does not open this door.
    rejectUnauthorized: true,
    timeout: 0, // the question's deadline counts
    autoSelectFamily: true,
    ...(book === undefined ? {} : { lookup: book.lookup }),
  })
  const pool = new Pool(`${endpoint.protocol}//${endpoint.authority}`, {
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect(options, callback) {
      connector(options, (...result) => {
        // On failure undici passes the error alone, whatever its types say of a second value.
        const [failure, socket] = result
        if (failure === null && socket !== null) guardAnswerStart(socket)
        callback(...result)
      })
    },
  })

  const adapter: AxiosAdapter = async (config) => {
    const { statusCode, headers, body } = await pool.request({
      method: 'GET',
      path: config.url ?? '/',
      headers: config.headers.toJSON() as Record<string, string>,
      signal: config.signal as AbortSignal,
    })
    const timer = setTimeout(() => body.destroy(), MAX_BODY_TIME)
    let received = 0
    body
      .on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received > MAX_BODY) body.destroy()
      })
      .on('error', () => {}) // the verdict stands, whatever becomes of the body
      .on('close', () => clearTimeout(timer))
    return { status: statusCode, statusText: '', headers, data: undefined, config }
  }

  const client = axios.create({ adapter, transformRequest: [], transformResponse: [] })
  client.defaults.headers.common = {} as typeof client.defaults.headers.common

  return {
    async send(question, signal) {
      const response = await client.get(question.target, { headers: question.headers, signal })
      return { status: response.status, headers: response.headers as Reply['headers'] }
    },
    async close() {
      book?.stop()
      await pool.destroy()
    },
  }
}
