import { createRequire } from 'node:module'
import type { AxiosAdapter, AxiosInstance, AxiosStatic } from 'axios'
import { createConnections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'

/** Its CommonJS build is one file where its ES modules are eighty: an eighth of the time that the whole service takes to start. */
const axios: AxiosStatic = createRequire(import.meta.url)('axios')

export interface Client {
  /** Any status resolves, at the head of the answer: there is no body. Rejects when there is no answer, or when the signal aborts. */
  readonly client: AxiosInstance
  close(): Promise<void>
}

/** Nobody needs a body: this much is read to keep the connection, for this long (milliseconds), then it is closed. */
const MAX_BODY = 65_536
const MAX_BODY_TIME = 1_000

/**
 * An HTTP client for one endpoint; `concurrency` is the number of requests under way at most, `deadline` what one may take, in
 * milliseconds, for which the caller's signal stands.
 *
 * axios over undici's `Pool.request`. axios's own adapter would follow redirects, send our headers along, obey `HTTP_PROXY`, and its
 * `timeout` never fires on a dripping answer; none of that exists here.
 */
export function createClient(endpoint: Endpoint, concurrency: number, deadline: number): Client {
  const connections = createConnections(endpoint, concurrency, deadline)

  const adapter: AxiosAdapter = async (config) => {
    const { statusCode, headers, body } = await connections.request({
      method: config.method === 'post' ? 'POST' : 'GET',
      path: config.url ?? '/',
      headers: config.headers.toJSON() as Record<string, string>,
      body: (config.data as string | undefined) ?? null,
      signal: config.signal as AbortSignal,
    })
    const timer = setTimeout(() => body.destroy(), MAX_BODY_TIME)
    let received = 0
    body
      .on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received > MAX_BODY) body.destroy()
      })
      .on('error', () => {}) // the answer stands, whatever becomes of the body
      .on('close', () => clearTimeout(timer))
    return { status: statusCode, statusText: '', headers, data: undefined, config }
  }

  const client = axios.create({ adapter, transformRequest: [], transformResponse: [] })
  client.defaults.headers.common = {} as typeof client.defaults.headers.common
  return { client, close: () => connections.close() }
}
