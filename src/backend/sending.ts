import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { HttpRequest, Reply } from './client.ts'

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
