import type { IncomingMessage, ServerResponse } from 'node:http'
import { type NextFunction, Router } from 'express'
import type { Decide } from '../decision/decide.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Verdict } from '../verdict.ts'
import { readRequestId, readSubrequest } from './read-subrequest.ts'

export interface GateOptions extends AnswerOptions {
  readonly decide: Decide
  /** What a fault of our own code answers. */
  readonly defaultAction: Verdict
  readonly onRepeated: (subrequest: Subrequest, decision: Decision) => void
  readonly onRefused: (why: string, requestId: string | undefined) => void
  readonly onInternalError: (error: unknown) => void
}

/** An http listener: what `http.createServer` takes. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** The shipped snippet sends ten at most. */
const MAX_HEADERS = 64

/** Refused before anybody was asked. */
export const refusal: Decision = {
  verdict: 'deny',
  source: 'gate',
  reason: 'bad-request',
  sessionId: '',
  userId: '',
  holdsFor: 0,
  cacheable: false,
}

/**
 * Subrequest in, answer out: every exit is a 200 or a 403. The Router is used without `express()`, which would replace the prototype
 * of every request and response and costs five sixths of the throughput.
 */
export function createGate(options: GateOptions): Listener {
  const { decide } = options
  const answer = createAnswer(options)
  const broken: Decision = {
    ...refusal,
    verdict: options.defaultAction,
    source: 'default',
    reason: 'unavailable-internal',
  }

  const refuse = (request: IncomingMessage, response: ServerResponse, why: string): void => {
    options.onRefused(why, readRequestId(request.headers))
    answer(response, refusal)
  }

  const refuseOthers = (request: IncomingMessage, response: ServerResponse): void =>
    refuse(request, response, 'not GET /auth')

  const router = Router({ caseSensitive: true, strict: true })

  router
    .route('/auth')
    // Otherwise Express takes it for a GET.
    .head(refuseOthers)
    .get((request: IncomingMessage, response: ServerResponse) => {
      if (request.rawHeaders.length > 2 * MAX_HEADERS)
        return refuse(request, response, `more than ${MAX_HEADERS} headers`)
      const subrequest = readSubrequest(request.headers)
      if ('refused' in subrequest) return refuse(request, response, subrequest.refused)
      const decided = decide(subrequest)
      if (decided instanceof Promise) return decided.then((decision) => answer(response, decision))
      options.onRepeated(subrequest, decided)
      answer(response, decided)
    })

  router.use(refuseOthers)

  router.use((error: unknown, _request: IncomingMessage, response: ServerResponse, _next: NextFunction) => {
    options.onInternalError(error)
    answer(response, broken)
  })

  const dispatch = router as unknown as (
    request: IncomingMessage,
    response: ServerResponse,
    next: () => void,
  ) => void
  return (request, response) => dispatch(request, response, () => answer(response, refusal))
}

export interface AnswerOptions {
  /** Whether the process is ending, so that nginx should not keep this connection. */
  readonly isClosing: () => boolean
  /** How long nginx's verdict cache may repeat a verdict, at most; milliseconds. */
  readonly nginxTtl: number
  /** Told of each answer as it is given. */
  readonly onAnswered?: (decision: Decision) => void
}

/**
 * Answers nginx: `200` or `403` and no body. nginx turns any other status into a 500 for the viewer, and closes the connection when
 * a body is sent.
 */
export function createAnswer({
  isClosing,
  nginxTtl,
  onAnswered,
}: AnswerOptions): (response: ServerResponse, decision: Decision) => void {
  return (response, decision) => {
    if (response.headersSent) return
    onAnswered?.(decision)
    const headers = [
      'Content-Length',
      '0',
      'X-Auth-Verdict',
      decision.verdict,
      'X-Auth-Source',
      decision.source,
      'X-Auth-Reason',
      decision.reason,
      'X-Accel-Expires',
      expiresOf(decision, nginxTtl),
    ]
    if (decision.sessionId !== '') headers.push('X-Session-Id', decision.sessionId)
    if (decision.userId !== '') headers.push('X-User-Id', decision.userId)
    if (isClosing()) headers.push('Connection', 'close')
    response.sendDate = false
    // HTTP/1.1 keeps connections without being told; two header lines fewer for nginx to read.
    response.removeHeader('Connection')
    response.writeHead(decision.verdict === 'allow' ? 200 : 403, headers)
    response.end()
  }
}

/** Stored by nginx, but never fresh. */
const EXPIRED = '@1'

/**
 * The whole seconds that nginx may repeat the verdict. A time of one second lasts up to two there, since nginx looks at its clock
 * without fractions.
 */
export function secondsForNginx({ holdsFor, cacheable }: Decision, nginxTtl: number): number {
  return cacheable ? Math.max(0, Math.floor(Math.min(holdsFor, nginxTtl) / 1000) - 1) : 0
}

/** `X-Accel-Expires`. */
function expiresOf(decision: Decision, nginxTtl: number): string {
  const { verdict, source } = decision
  const seconds = secondsForNginx(decision, nginxTtl)
  if (seconds > 0) return String(seconds)
  // "0" would leave an older allow where it lies, and nginx would fall back on it when no gate answers.
  return verdict === 'deny' && (source === 'backend' || source === 'session' || source === 'stale')
    ? EXPIRED
    : '0'
}
