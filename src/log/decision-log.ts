import type { DecisionMade } from '../decision/decide.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import type { Log } from './log.ts'
import { createSampledLines, type SampledLines } from './sampled-lines.ts'

/** Writes decisions to the log. */
export interface DecisionLog {
  /** A decision was made. One line at info; of those for which no backend was asked, only a sample. */
  made(made: DecisionMade): void
  /** A decision was remembered. One line at debug, for a sample of them. */
  repeated(subrequest: Subrequest, decision: Decision): void
  /**
   * A subrequest was refused before it could be read. One line at info, for a sample of them. `requestId` is
   * nginx's, where it could be read.
   */
  refused(why: string, requestId?: string): void
  /** A viewer goes on from another address. One line at info, for a sample of them. */
  moved(session: Session, from: string): void
  /** The operator has closed a session. One line at info. */
  closed(session: Session): void
  /** Writes how many lines were left out, if no line has said so yet. */
  end(): void
}

const sentenceOf = {
  question: 'decided',
  're-check': 're-checked',
  refusal: 'refused',
  return: 'returned',
} as const

/** Denials for which no backend was asked: a client gets them as fast as it can send requests. */
const unasked = new Set(['unavailable-breaker', 'unavailable-overload'])

/**
 * Lines hold paths, addresses and verdicts, but no query, no token and no User-Agent.
 * @param clock monotonic milliseconds
 * @param maskPath shows a path without the credential in it
 */
export function createDecisionLog(
  log: Log,
  clock: () => number,
  maskPath: (path: string) => string,
): DecisionLog {
  const unread = createSampledLines((fields) => log.info('refused', fields), clock)
  const excess = createSampledLines((fields) => log.info(sentenceOf.refusal, fields), clock)
  const failing = createSampledLines((fields) => log.info(sentenceOf.question, fields), clock)
  // The sessions of a store return as fast as their viewers ask, all of them after a restart.
  const returns = createSampledLines((fields) => log.info(sentenceOf.return, fields), clock)
  // Whoever has a cookie may send it from as many addresses as they have.
  const moves = createSampledLines((fields) => log.info('address changed', fields), clock)
  const repeats = createSampledLines((fields) => log.debug('repeated', fields), clock)

  /**
   * The log leaves out fields that are undefined. To add some by spreading costs more than all the rest.
   * @param ms milliseconds
   */
  const describe = (asked: Subrequest, decision: Decision, backend?: string, ms?: number): object => {
    const { verdict, source, reason, sessionId: session, userId } = decision
    const { address, origin, requestId: request } = asked
    const user = userId === '' ? undefined : userId
    const path = maskPath(asked.path)
    return { verdict, source, reason, session, user, address, origin, path, request, backend, ms }
  }

  const fieldsOf = ({ subrequest, decision, backend, took }: DecisionMade): object =>
    describe(subrequest, decision, backend, took)

  const sampleFor = ({ occasion, decision }: DecisionMade): SampledLines | undefined => {
    if (occasion === 'refusal') return excess
    if (occasion === 'return') return returns
    return decision.verdict === 'deny' && unasked.has(decision.reason) ? failing : undefined
  }

  return {
    made(made) {
      const sample = sampleFor(made)
      if (sample === undefined) log.info(sentenceOf[made.occasion], fieldsOf(made))
      else sample.add(() => fieldsOf(made))
    },
    repeated(subrequest, decision) {
      if (log.debugs) repeats.add(() => describe(subrequest, decision))
    },
    refused(why, requestId) {
      const request = requestId === undefined ? {} : { request: requestId }
      unread.add(() => ({ verdict: 'deny', source: 'gate', reason: 'bad-request', ...request, why }))
    },
    moved({ id: session, userId, address, scope }, from) {
      const user = userId === '' ? undefined : userId
      moves.add(() => ({ session, user, from, address, path: scope.shownPath }))
    },
    closed({ id, userId, address, profile, scope }) {
      const user = userId === '' ? {} : { user: userId }
      log.info('closed by the operator', {
        session: id,
        ...user,
        address,
        origin: profile.origin,
        path: scope.shownPath,
      })
    },
    end() {
      for (const sample of [unread, excess, failing, returns, moves, repeats]) sample.tell()
    },
  }
}
