import type { DecisionMade } from '../decision/decide.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import type { Log } from './log.ts'

export interface DecisionLog {
  /** A decision that was made: one line at info. */
  made(made: DecisionMade): void
  /** A decision that was known already: one line at debug. */
  repeated(subrequest: Subrequest, decision: Decision): void
  /** A subrequest that nobody was asked about. */
  refused(why: string): void
}

const sentenceOf = { question: 'decided', 're-check': 're-checked', refusal: 'refused' } as const

/** Paths, addresses and verdicts; no query, no token, no User-Agent. */
export function createDecisionLog(log: Log): DecisionLog {
  return {
    made({ subrequest, decision, backend, occasion, took }) {
      log.info(sentenceOf[occasion], {
        ...describe(subrequest, decision),
        backend,
        ms: took,
      })
    },
    repeated(subrequest, decision) {
      if (log.debugs) log.debug('repeated', describe(subrequest, decision))
    },
    refused(why) {
      log.info('refused', { verdict: 'deny', source: 'gate', reason: 'bad-request', why })
    },
  }
}

function describe(subrequest: Subrequest, decision: Decision): object {
  const { verdict, source, reason, sessionId, userId } = decision
  const { address, origin, path } = subrequest
  return {
    verdict,
    source,
    reason,
    session: sessionId,
    ...(userId === '' ? {} : { user: userId }),
    address,
    origin,
    path,
  }
}
