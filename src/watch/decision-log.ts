import type { DecisionMade } from '../decision/decide.ts'
import { addressOf } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import type { Log } from './log.ts'

export interface DecisionLog {
  /** A decision that was made: one line at info. */
  made(made: DecisionMade): void
  /** A decision that was known already: a line at debug, for a sample of them. */
  repeated(subrequest: Subrequest, decision: Decision): void
  /** A subrequest that nobody was asked about: one line at info. `requestId` is nginx's, where it could be read. */
  refused(why: string, requestId?: string): void
  /** The operator has closed a session: one line at info. */
  closed(session: Session): void
}

const sentenceOf = { question: 'decided', 're-check': 're-checked', refusal: 'refused' } as const

/** Repeated verdicts that are written in a second: more of them would be the gate's main work. */
const SAMPLE = 100
/** Milliseconds. */
const SECOND = 1_000

/** Paths, addresses and verdicts; no query, no token, no User-Agent. @param clock monotonic milliseconds */
export function createDecisionLog(log: Log, clock: () => number): DecisionLog {
  let sampleEnds = 0
  let written = 0
  let skipped = 0

  return {
    made({ subrequest, decision, backend, occasion, took }) {
      log.info(sentenceOf[occasion], {
        ...describe(subrequest, decision),
        backend,
        ms: took,
      })
    },
    repeated(subrequest, decision) {
      if (!log.debugs) return
      const now = clock()
      if (now >= sampleEnds) {
        sampleEnds = now + SECOND
        written = 0
      }
      if (written >= SAMPLE) {
        skipped++
        return
      }
      written++
      log.debug('repeated', { ...describe(subrequest, decision), ...(skipped === 0 ? {} : { skipped }) })
      skipped = 0
    },
    refused(why, requestId) {
      const request = requestId === undefined ? {} : { request: requestId }
      log.info('refused', { verdict: 'deny', source: 'gate', reason: 'bad-request', ...request, why })
    },
    closed({ id, userId, viewer, profile, path }) {
      const user = userId === '' ? {} : { user: userId }
      log.info('closed by the operator', {
        session: id,
        ...user,
        address: addressOf(viewer),
        origin: profile.origin,
        path,
      })
    },
  }
}

function describe(subrequest: Subrequest, decision: Decision): object {
  const { verdict, source, reason, sessionId, userId } = decision
  const { address, origin, path, requestId } = subrequest
  return {
    verdict,
    source,
    reason,
    session: sessionId,
    ...(userId === '' ? {} : { user: userId }),
    address,
    origin,
    path,
    ...(requestId === undefined ? {} : { request: requestId }),
  }
}
