import type { IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type { AxiosAdapter, AxiosRequestConfig, AxiosStatic } from 'axios'
import type { Dispatcher } from 'undici'
import type { UnavailableReason } from '../verdict.ts'
import { createConnections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'

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

/** Nobody needs a body: this much is read to keep the connection, for this long (milliseconds), then it is closed. */
const MAX_BODY = 65_536
const MAX_BODY_TIME = 1_000

/** Our side gave the request up. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError'
}

/** One request under way: listens to undici, and knows whether the backend can be at work on it. */
export class Sending implements Dispatcher.DispatchHandler {
  readonly request: HttpRequest
  /** Resolves at the head of the answer, whatever its status; rejects when there is none. */
  readonly reply: Promise<Reply>
  /** The request went out on a connection: a backend may be at work on it until it answers. */
  wasSent = false
  /** Asked at a failure: whether the request goes out once more. */
  retries: (error: Error) => boolean = () => false
  #answer!: (reply: Reply) => void
  #fail!: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #abandoned: AbandonedError | undefined
  #received = 0
  #bodyTimer: NodeJS.Timeout | undefined

  constructor(request: HttpRequest) {
    this.request = request
    this.reply = new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
  }

  /** Ends it where it is; without an answer, `reply` rejects. */
  abandon(): void {
    this.#abandoned = new AbandonedError('given up')
    this.#fail(this.#abandoned)
    this.#controller?.abort(this.#abandoned)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abandoned === undefined) this.wasSent = true
    else controller.abort(this.#abandoned)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#answer({ status, headers })
    this.#bodyTimer = setTimeout(() => controller.abort(new AbandonedError('a slow body')), MAX_BODY_TIME)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#received += chunk.length
    if (this.#received > MAX_BODY) controller.abort(new AbandonedError('a long body'))
  }

  onResponseEnd(): void {
    clearTimeout(this.#bodyTimer)
  }

  /** Behind the head of the answer it changes nothing: the answer stands, whatever becomes of the body. */
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#bodyTimer)
    if (this.#abandoned === undefined && this.retries(error)) return
    this.#fail(error)
  }
}

const reasonOfCode: Readonly<Record<string, UnavailableReason>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EADDRNOTAVAIL: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
  ENOENT: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'closed',
  UND_ERR_HEADERS_OVERFLOW: 'not-http',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'not-http',
  ERR_NOT_HTTP: 'not-http',
  EPROTO: 'tls',
}

/** OpenSSL's verdicts on a certificate carry its own names, all of these families. */
const tlsCode =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/

/**
 * Names why a question got no answer, from the code of the error or of the first cause that has one.
 * What is not known as a failure of the network or of the peer is ours: `internal`.
 */
export function failureReason(error: unknown): UnavailableReason {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) return failureReason(at.errors.at(-1))
    const code = 'code' in at && typeof at.code === 'string' ? at.code : ''
    const reason = reasonOfCode[code]
    if (reason !== undefined) return reason
    if (code.startsWith('HPE_') || at.name === 'HTTPParserError') return 'not-http'
    if (tlsCode.test(code)) return 'tls'
  }
  return 'internal'
}
