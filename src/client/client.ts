import type { IncomingHttpHeaders } from 'node:http'
import { Axios, type AxiosAdapter } from 'axios'
import type { Dispatcher } from 'undici'
import type { UnavailableReason } from '../verdict.ts'
import { createConnections } from './connections.ts'
import type { Endpoint } from './endpoint.ts'

/** One HTTP request to an endpoint. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query, as they appear in the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Status and headers of an HTTP answer; header names are in lower case. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The trimmed value of a header, the first if there are several. @param name in lower case */
export function headerOf({ headers }: Reply, name: string): string | undefined {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value)?.trim()
}

export interface Client {
  /**
   * Sends a request and resolves at the head of the answer, whatever its status. Rejects when there is no
   * answer or the request is abandoned. It has no deadline of its own.
   */
  send(sending: Sending): Promise<Reply>
  close(): Promise<void>
}

/**
 * An HTTP client for one endpoint: axios over undici's `Pool.dispatch`. axios's own adapter follows
 * redirects, and sends our headers there; it obeys `HTTP_PROXY`; its `timeout` never fires on an answer that
 * arrives byte by byte. This adapter does none of that. Requests bypass axios's header objects and merging,
 * which cost more than everything else together.
 * @param concurrency the most requests under way
 * @param deadline what one request may take, in milliseconds; the caller enforces it
 */
export function createClient(endpoint: Endpoint, concurrency: number, deadline: number): Client {
  const connections = createConnections(endpoint, concurrency, deadline)
  const client = new Axios()
  return {
    async send(sending) {
      const adapter: AxiosAdapter = async (config) => {
        connections.dispatch(sending)
        const data = await sending.reply
        // axios would copy any other headers.
        return { status: data.status, statusText: '', headers: config.headers, data, config }
      }
      const { data } = await client.request<Reply>({ adapter })
      return data
    },
    close: () => connections.close(),
  }
}

/** Sends one request as `Client.send` does, and abandons it when the signal aborts. */
export function sendUntil(client: Client, request: HttpRequest, signal: AbortSignal): Promise<Reply> {
  const sending = new Sending(request)
  signal.addEventListener('abort', () => sending.abandon(), { once: true })
  if (signal.aborted) sending.abandon()
  return client.send(sending)
}

/**
 * Bytes and milliseconds. A body is not used; it is read within these bounds only to keep the connection.
 * Beyond them the connection is closed.
 */
const MAX_BODY = 65_536
const MAX_BODY_TIME = 1_000

/** Our side cancelled the request. */
export class AbandonedError extends Error {
  override readonly name = 'AbandonedError'
}

const never = (): boolean => false

/**
 * One request under way: undici's handler for it. It knows whether the backend may be working on the request.
 */
export class Sending implements Dispatcher.DispatchHandler {
  readonly request: HttpRequest
  /** Resolves at the head of the answer, whatever its status; rejects when there is no answer. */
  readonly reply: Promise<Reply>
  /** The request was sent on a connection: the backend may be working on it until it answers. */
  wasSent = false
  /** Called at the first failure: sends the request once more and returns true, or returns false. */
  retries: (error: Error) => boolean = never
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

  /** Cancels the request in any state; `reply` rejects unless it is settled. */
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
    this.#end()
  }

  /**
   * After the head of the answer an error changes nothing: the answer stands, whatever happens to the body.
   */
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { retries } = this
    this.#end()
    if (this.#abandoned === undefined && retries(error)) return
    this.#fail(error)
  }

  /** Lets go of all that belongs to the connection. Otherwise most of it outlives V8's quick collections. */
  #end(): void {
    clearTimeout(this.#bodyTimer)
    this.#bodyTimer = undefined
    this.#controller = undefined
    this.retries = never
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

/** The families of OpenSSL's error names for certificates and handshakes. */
const tlsCode =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/

/**
 * The reason why a question got no answer, from the code of the error or of the first cause with a known one.
 * An error that is no known failure of the network or the peer is our own: `internal`.
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

/** The text of the innermost cause: axios and undici wrap the system's error. */
export function messageOf(error: unknown): string {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const inner: unknown = at instanceof AggregateError ? at.errors.at(-1) : at.cause
    if (!(inner instanceof Error)) break
    at = inner
  }
  return at instanceof Error ? at.message : String(at)
}
