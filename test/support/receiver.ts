import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type {
  EventBatch,
  SessionEnded,
  SessionEvent,
  SessionStarted,
} from '../../src/webhook/session-event.ts'
import type { KeyAndCertificate } from './certificates.ts'
import { type Listening, listenOnLoopback } from './listen-on-loopback.ts'
import type { Scope } from './scope.ts'

export interface ReceiverOptions {
  readonly port?: number
  /** Over https, with this certificate. */
  readonly tls?: KeyAndCertificate
}

/** One post as it came in. */
export interface Posted {
  readonly method: string
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly batch: EventBatch
}

/** A server for EVENTS_URL: accepts posts and records them. */
export interface Receiver extends Listening {
  readonly posts: readonly Posted[]
  /** What it answers from now on; 200 unless changed. */
  answer: (response: ServerResponse) => void
  /**
   * Events of all posts that were answered with 200, in order. With `userAgent` only those of sessions with
   * this User-Agent.
   */
  events(userAgent?: string): SessionEvent[]
  start(userAgent: string): SessionStarted | undefined
  end(userAgent: string): SessionEnded | undefined
}

export async function startReceiver(scope: Scope, options: ReceiverOptions = {}): Promise<Receiver> {
  const posts: Posted[] = []
  const taken: SessionEvent[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      const batch = JSON.parse(text) as EventBatch
      const { method = '', url: target = '', headers } = request
      posts.push({ method, target, headers, text, batch })
      response.on('finish', () => {
        if (response.statusCode === 200) taken.push(...batch.events)
      })
      receiver.answer(response)
    })
  }
  const server = options.tls === undefined ? createHttp(listener) : createHttps(options.tls, listener)
  const listening = await listenOnLoopback(scope, server, options.port)
  const events: Receiver['events'] = (userAgent) =>
    taken.filter(
      (event) => userAgent === undefined || ('userAgent' in event && event.userAgent === userAgent),
    )
  const receiver: Receiver = {
    ...listening,
    posts,
    answer: (response) => void response.end(),
    events,
    start: (userAgent) => events(userAgent).find((event) => event.event === 'start'),
    end: (userAgent) => events(userAgent).find((event) => event.event === 'end'),
  }
  return receiver
}
