import { createRequire } from 'node:module'
import type { AxiosAdapter, AxiosStatic } from 'axios'
import { createConnections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'
import type { Question } from './question.ts'

/** Its CommonJS build is one file where its ES modules are eighty: an eighth of the time that the whole service takes to start. */
const axios: AxiosStatic = createRequire(import.meta.url)('axios')

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

/** A verdict needs no body: this much is read to keep the connection, for this long (milliseconds), then it is closed. */
const MAX_BODY = 65_536
const MAX_BODY_TIME = 1_000

/**
 * `concurrency` is the number of questions under way at most.
 *
 * axios over undici's `Pool.request`. axios's own adapter would follow redirects, send our headers along, obey `HTTP_PROXY`, and its
 * `timeout` never fires on a dripping answer; none of that exists here.
 */
export function createSender(endpoint: Endpoint, concurrency: number): Sender {
  const connections = createConnections(endpoint, concurrency)

  const adapter: AxiosAdapter = async (config) => {
    const { statusCode, headers, body } = await connections.request({
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
    close: () => connections.close(),
  }
}
