import type { Identity, Target } from '../session/identity.ts'
import type { Cacheable, Scope } from '../session/scope.ts'
import { Session, type SessionEnd } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import {
  allowedBy,
  allowedWithout,
  type Decision,
  denied,
  type Grant,
  type Outcome,
  type UnavailableReason,
  type Verdict,
} from '../verdict.ts'
import type { Memory } from './memory.ts'

export interface KeepOptions {
  readonly memory: Memory
  readonly terms: Terms
  readonly cacheable: Cacheable
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  readonly defaultAction: Verdict
  /** How long a deny by default counts, in milliseconds. */
  readonly defaultFor: number
}

/** Turns outcomes into decisions and remembers them. */
export interface Keep {
  /** The outcome of a question about a request without a known verdict. */
  fromQuestion(
    identity: Identity,
    subrequest: Subrequest,
    sessionId: string,
    outcome: Outcome,
    now: number,
  ): Decision
  /** The outcome of a re-check of a session. */
  fromRecheck(session: Session, outcome: Exclude<Outcome, { kind: 'refused' }>, now: number): Decision
}

export function createKeep({
  memory,
  terms,
  cacheable,
  identify,
  scopeOf,
  defaultAction,
  defaultFor,
}: KeepOptions): Keep {
  const remember = (
    identity: Identity,
    decision: Decision,
    now: number,
    staleUntil = now + decision.holdsFor,
  ): Decision => {
    memory.denials.keep(identity, { decision, freshUntil: now + decision.holdsFor, staleUntil })
    return decision
  }

  const denyByBackend = (identity: Identity, sessionId: string, status: number, now: number): Decision => {
    const holdsFor = terms.denyFor()
    const decision = denied(sessionId, 'backend', `backend-${status}`, holdsFor, cacheable.deny(identity))
    return remember(identity, decision, now, now + decision.holdsFor + STALE_DENY)
  }

  return {
    fromQuestion(identity, subrequest, sessionId, outcome, now) {
      switch (outcome.kind) {
        case 'allow': {
          const session = new Session(identity, subrequest, sessionId, now, scopeOf(identity))
          terms.grant(session, outcome.grant, outcome.backend, now)
          memory.denials.forget(identity)
          memory.sessions.open(session, now)
          return allowedBy(session, 'backend', 'backend-200', now, cacheable.allow(identity, session))
        }
        case 'deny':
          return denyByBackend(identity, sessionId, outcome.status, now)
        case 'refused': {
          const { reason } = outcome
          if (reason === 'too-many-questions') return denied(sessionId, 'gate', reason, 0, false)
          // This question cost the backend three requests, so it must not be repeated at once.
          const decision = denied(sessionId, 'gate', reason, defaultFor, cacheable.deny(identity))
          return remember(identity, decision, now)
        }
        case 'unavailable': {
          const known = memory.denials.find(identity, now)
          const reason = `unavailable-${outcome.reason}` as const
          const mayCache = cacheable.deny(identity)
          if (known !== undefined && known.decision.source !== 'default') {
            // The deny counts longer, but the backend is asked again as soon as for an unknown request.
            const stale = denied(known.decision.sessionId, 'stale', reason, defaultFor, mayCache)
            return remember(identity, stale, now, known.staleUntil)
          }
          if (defaultAction === 'deny') {
            return remember(identity, denied(sessionId, 'default', reason, defaultFor, mayCache), now)
          }
          const session = new Session(identity, subrequest, sessionId, now, scopeOf(identity))
          session.provisional = true
          terms.postpone(session, outcome.reason, now)
          memory.provisional.open(session, now)
          return allowedWithout(session, outcome.reason, now, cacheable.allow(identity, session))
        }
      }
    },

    fromRecheck(session, outcome, now) {
      switch (outcome.kind) {
        case 'allow':
          terms.grant(session, outcome.grant, outcome.backend, now)
          if (session.provisional && !session.ended) {
            memory.provisional.handOver(session)
            session.provisional = false
            memory.sessions.admit(session, now)
          }
          return allowedBy(session, 'backend', 'backend-200', now, false)
        case 'deny':
          endSession(memory, session, 'denied')
          return denyByBackend(identify(session.opener()), session.id, outcome.status, now)
        case 'unavailable':
          terms.postpone(session, outcome.reason, now)
          return allowedWithout(session, outcome.reason, now, false)
      }
    },
  }
}

/** How long verdicts count, in milliseconds. */
export interface Lifetimes {
  /** ALLOW_TTL: after this a playing session is re-checked; `session` = never. */
  readonly allow: number | 'session'
  /** DENY_TTL: how long a deny is repeated. */
  readonly deny: number
  /** STALE_TTL: how much longer an allow counts while the backend is unavailable. */
  readonly stale: number
  /** DEFAULT_TTL: how long a verdict of the default action is repeated. */
  readonly default: number
}

/** How much longer a deny counts while the backend is unavailable; milliseconds. */
export const STALE_DENY = 60_000

/** The longest `X-AuthDuration` that counts in full; milliseconds. */
const MAX_AUTH_DURATION = 24 * 3_600_000

/** Sets how long sessions and denies count. `now` is monotonic milliseconds. */
export interface Terms {
  /** A backend allowed the session: sets its user and when its next re-check is due. */
  grant(session: Session, grant: Grant, backend: string, now: number): void
  /** The backend gave no answer about the session: notes the failure and sets when it is asked again. */
  postpone(session: Session, reason: UnavailableReason, now: number): void
  /** How long a deny is fresh, in milliseconds. */
  denyFor(): number
}

/**
 * @param random 0 to 1, for jitter
 * @param onBadDuration called with an `X-AuthDuration` that is no positive whole number, which is then
 * ignored
 */
export function createTerms(
  lifetimes: Lifetimes,
  random: () => number,
  onBadDuration: (backend: string, sent: string) => void,
): Terms {
  /** ±10 %, so that sessions that opened together are not all re-checked in the same second. */
  const jittered = (duration: number): number => Math.round(duration * (0.9 + 0.2 * random()))

  const ttlOf = (sent: string | undefined, backend: string): number => {
    if (lifetimes.allow === 'session') return Number.POSITIVE_INFINITY
    if (sent === undefined) return jittered(lifetimes.allow)
    const duration = readAuthDuration(sent)
    if (duration === undefined) onBadDuration(backend, sent)
    return duration === undefined
      ? jittered(lifetimes.allow)
      : Math.min(jittered(duration), MAX_AUTH_DURATION)
  }

  /** Used at the first failure only: then `dueAt` is still the time until which the last allow counted. */
  const holdsUntil = (session: Session): number =>
    session.provisional ? Number.POSITIVE_INFINITY : session.dueAt + lifetimes.stale

  return {
    grant(session, { authDuration, userId = '' }, backend, now) {
      session.userId = userId
      session.dueAt = now + ttlOf(authDuration, backend)
      session.failure = undefined
    },
    postpone(session, reason, now) {
      const { allow } = lifetimes
      const interval = jittered(session.provisional || allow === 'session' ? lifetimes.default : allow)
      session.failure = { reason, at: now, holdsUntil: session.failure?.holdsUntil ?? holdsUntil(session) }
      session.dueAt = now + interval
    },
    denyFor: () => jittered(lifetimes.deny),
  }
}

/** `X-AuthDuration` in milliseconds: whole positive seconds; undefined when it is anything else. */
function readAuthDuration(sent: string): number | undefined {
  const seconds = /^\d+$/.test(sent) ? Number(sent) : 0
  return seconds === 0 ? undefined : seconds * 1000
}

/** Ends a session in the table that holds it. */
export function endSession(memory: Memory, session: Session, why: SessionEnd): void {
  const table = session.provisional ? memory.provisional : memory.sessions
  table.end(session, why)
}
