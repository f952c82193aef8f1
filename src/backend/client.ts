import { createRequire } from 'node:module'
import type { AxiosAdapter, AxiosRequestConfig, AxiosStatic } from 'axios'
import { createConnections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'
import { Sending } from './sending.ts'

/** Its CommonJS build is one file where its ES modules are eighty: an eighth of the time that the whole service takes to start. */
const axios: AxiosStatic = createRequire(import.meta.url)('axios')

/** One request as it goes on the wire. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query, ready for the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The head of an HTTP answer; header names in lower case. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The header of this name, in lower case, without the spaces around it; the first where there are several. */
export function headerOf({ headers }: Reply, name: string): string | undefined {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim()
}

export interface Client {
  /**
   * Sends a request and resolves at the head of the answer, whatever its status. Rejects when there is none, or when it is abandoned.
   * It has no deadline of its own.
   */
  send(sending: Sending): Promise<Reply>
  close(): Promise<void>
}

/**
 * An HTTP client for one endpoint; `concurrency` is the number of requests under way at most, `deadline` what one may take, in
 * milliseconds, which the caller keeps.
 *
 * axios over undici's `Pool.dispatch`. axios's own adapter would follow redirects, send our headers along, obey `HTTP_PROXY`, and its
 * `timeout` never fires on a dripping answer; none of that exists here. What is sent does not pass through axios's header objects and
 * merging: they cost more than all the rest.
 */
export function createClient(endpoint: Endpoint, concurrency: number, deadline: number): Client {
  const connections = createConnections(endpoint, concurrency, deadline)
  const adapter: AxiosAdapter = async (config) => {
    const { sending } = config as unknown as { readonly sending: Sending }
    connections.dispatch(sending)
    const reply = await sending.reply
    return { status: reply.status, statusText: '', headers: {}, data: reply, config }
  }
  const client = new axios.Axios({ adapter })
  return {
    async send(sending) {
      const { data } = await client.request<Reply>({ sending } as AxiosRequestConfig)
      return data
    },
    close: () => connections.close(),
  }
}

/** Sends one request, until the signal aborts. */
export function sendUntil(client: Client, request: HttpRequest, signal: AbortSignal): Promise<Reply> {
  const sending = new Sending(request)
  signal.addEventListener('abort', () => sending.abandon(), { once: true })
  if (signal.aborted) sending.abandon()
  return client.send(sending)
}
