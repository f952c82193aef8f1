import type { IncomingMessage, ServerResponse } from 'node:http'
import { type NextFunction, Router } from 'express'
import type { Decide } from '../decision/decide.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Verdict } from '../verdict.ts'
import { type AnswerOptions, createAnswer } from './answer.ts'
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
