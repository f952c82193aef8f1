import type { IncomingMessage, ServerResponse } from 'node:http'
import { type NextFunction, Router } from 'express'
import type { Decide } from '../decision/decide.ts'
import type { CookieMode, Subrequest } from '../subrequest.ts'
import type { Decision, Verdict } from '../verdict.ts'
import { readRequestId, readSubrequest } from './read-subrequest.ts'

interface GateOptions extends AnswerOptions {
  readonly decide: Decide
  /** What the session cookie means where nginx names no mode; `off` unless given. */
  readonly sessionCookie?: CookieMode
  /** The answer when our own code throws. */
  readonly defaultAction: Verdict
  /** A known verdict was the answer. */
  readonly onRepeated: (subrequest: Subrequest, decision: Decision) => void
  /** A subrequest was refused without asking a backend; `why` is a sentence for the log. */
  readonly onRefused: (why: string, requestId: string | undefined) => void
  readonly onInternalError: (error: unknown) => void
  /** nginx has its verdict cache on: it may repeat answers. */
  readonly onVerdictCache?: () => void
}

/** A request listener for `http.createServer`. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** The shipped nginx configuration sends ten at most. */
const MAX_HEADERS = 64

/** The decision about a subrequest that is refused without asking a backend. */
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
 * Answers subrequests: every answer is a 200 or a 403. It uses Express's Router without `express()`, which
 * replaces the prototype of every request and response and so costs five sixths of the throughput.
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
    // Without this, Express answers a HEAD as a GET.
    .head(refuseOthers)
    .get((request: IncomingMessage, response: ServerResponse) => {
      if (request.rawHeaders.length > 2 * MAX_HEADERS)
        return refuse(request, response, `more than ${MAX_HEADERS} headers`)
      if (request.headers['x-verdict-cache'] !== undefined) options.onVerdictCache?.()
      const subrequest = readSubrequest(request.headers, options.sessionCookie)
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

interface AnswerOptions {
  /** Whether the process is ending: then the answer tells nginx to close the connection. */
  readonly isClosing: () => boolean
  /** The longest time that nginx's verdict cache may repeat a verdict, in milliseconds. */
  readonly nginxTtl: number
  /** Called for each answer, just before it is sent. */
  readonly onAnswered?: (decision: Decision) => void
}

/**
 * Builds the function that writes a decision to nginx: a `200` or a `403`, without a body. nginx turns any
 * other status into a 500 for the viewer, and closes the connection after a body.
 */
function createAnswer({
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
    if (decision.newCookie !== undefined) headers.push('X-Session-Cookie', decision.newCookie)
    if (isClosing()) headers.push('Connection', 'close')
    response.sendDate = false
    // HTTP/1.1 connections are kept by default. This saves nginx two header lines.
    response.removeHeader('Connection')
    response.writeHead(decision.verdict === 'allow' ? 200 : 403, headers)
    response.end()
  }
}

/** `X-Accel-Expires` of an entry that nginx stores already expired. */
const EXPIRED = '@1'

/**
 * Whole seconds for which nginx may repeat the verdict; 0 = not at all. One is subtracted, because nginx's
 * clock has whole seconds and an entry lives up to a second longer.
 * @param nginxTtl milliseconds
 */
export function secondsForNginx({ holdsFor, cacheable }: Decision, nginxTtl: number): number {
  return cacheable ? Math.max(0, Math.floor(Math.min(holdsFor, nginxTtl) / 1000) - 1) : 0
}

/** The value of `X-Accel-Expires`. */
function expiresOf(decision: Decision, nginxTtl: number): string {
  const { verdict, source } = decision
  const seconds = secondsForNginx(decision, nginxTtl)
  if (seconds > 0) return String(seconds)
  // "0" would leave an older allow in nginx's cache, and nginx would fall back to it when no gate answers.
  return verdict === 'deny' && (source === 'backend' || source === 'session' || source === 'stale')
    ? EXPIRED
    : '0'
}
