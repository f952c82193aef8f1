import type { Denial } from '../session/denials.ts'
import type { Identity } from '../session/identity.ts'
import { Session } from '../session/session.ts'
import { createTextPool } from '../session/text-pool.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome, UnavailableReason, Verdict } from '../verdict.ts'
import { allowedBy, allowedWithout, denied } from './decisions.ts'
import { STALE_DENY, type Terms } from './lifetimes.ts'
import { endSession, type Memory } from './memory.ts'

/** Paths and channels that sessions share among them. */
const MAX_SHARED_TEXTS = 10_000

export interface KeepOptions {
  readonly memory: Memory
  readonly terms: Terms
  readonly identify: (subrequest: Subrequest) => Identity
  readonly defaultAction: Verdict
  /** How long a deny by default counts, in milliseconds. */
  readonly defaultFor: number
}

/** Turns outcomes into decisions and remembers them. */
export interface Keep {
  /** The outcome of a question about a request that nothing was known of. */
  fromQuestion(
    identity: Identity,
    subrequest: Subrequest,
    sessionId: string,
    outcome: Outcome,
    now: number,
  ): Decision
  /** The outcome of a re-check of a session. */
  fromRecheck(session: Session, outcome: Outcome, now: number): Decision
}

export function createKeep({ memory, terms, identify, defaultAction, defaultFor }: KeepOptions): Keep {
  const texts = createTextPool(MAX_SHARED_TEXTS)

  const deny = (identity: Identity, sessionId: string, status: number, now: number): Decision => {
    const holdsFor = terms.denyFor()
    const decision = denied(sessionId, 'backend', `backend-${status}`, holdsFor)
    const freshUntil = now + holdsFor
    memory.denials.keep(identity, { decision, freshUntil, staleUntil: freshUntil + STALE_DENY })
    return decision
  }

  /** A deny that is past its time: good for a while longer, but not asked about any oftener than an unknown request. */
  const denyOnTheStrengthOf = (
    known: Denial,
    identity: Identity,
    reason: UnavailableReason,
    now: number,
  ): Decision => {
    const decision = denied(known.decision.sessionId, 'stale', `unavailable-${reason}`, defaultFor)
    memory.denials.keep(identity, { decision, freshUntil: now + defaultFor, staleUntil: known.staleUntil })
    return decision
  }

  const denyByDefault = (
    identity: Identity,
    sessionId: string,
    reason: UnavailableReason,
    now: number,
  ): Decision => {
    const decision = denied(sessionId, 'default', `unavailable-${reason}`, defaultFor)
    const freshUntil = now + defaultFor
    memory.denials.keep(identity, { decision, freshUntil, staleUntil: freshUntil })
    return decision
  }

  return {
    fromQuestion(identity, subrequest, sessionId, outcome, now) {
      switch (outcome.kind) {
        case 'allow': {
          const session = new Session(identity, subrequest, sessionId, now, texts)
          terms.grant(session, outcome.grant, outcome.backend, now)
          memory.denials.forget(identity)
          memory.sessions.open(session, now)
          return allowedBy(session, 'backend', 'backend-200', now)
        }
        case 'deny':
          return deny(identity, sessionId, outcome.status, now)
        case 'unavailable': {
          const known = memory.denials.find(identity, now)
          if (known !== undefined && known.decision.source !== 'default') {
            return denyOnTheStrengthOf(known, identity, outcome.reason, now)
          }
          if (defaultAction === 'deny') return denyByDefault(identity, sessionId, outcome.reason, now)
          const session = new Session(identity, subrequest, sessionId, now, texts)
          session.provisional = true
          terms.postpone(session, outcome.reason, now)
          memory.provisional.open(session, now)
          return allowedWithout(session, outcome.reason, now)
        }
      }
    },

    fromRecheck(session, outcome, now) {
      switch (outcome.kind) {
        case 'allow':
          terms.grant(session, outcome.grant, outcome.backend, now)
          if (session.provisional && !session.ended) {
            memory.provisional.end(session)
            session.provisional = false
            memory.sessions.open(session, now)
          }
          return allowedBy(session, 'backend', 'backend-200', now)
        case 'deny':
          endSession(memory, session)
          return deny(identify(session.opener()), session.id, outcome.status, now)
        case 'unavailable':
          terms.postpone(session, outcome.reason, now)
          return allowedWithout(session, outcome.reason, now)
      }
    },
  }
}
