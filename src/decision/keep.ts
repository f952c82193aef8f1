import type { Cacheable } from '../session/cacheable.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import { Session, type SessionEnd, type SessionSecret } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import { allowedBy, allowedWithout, type Decision, denied, type Outcome, type Verdict } from '../verdict.ts'
import type { Memory } from './memory.ts'
import { STALE_DENY, type Terms } from './terms.ts'

interface KeepOptions {
  readonly memory: Memory
  readonly terms: Terms
  readonly cacheable: Cacheable
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  readonly defaultAction: Verdict
  /** How long a deny by default counts, in milliseconds. */
  readonly defaultFor: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Turns outcomes into decisions and remembers them. */
export interface Keep {
  /**
   * The outcome of a question about a request without a known verdict.
   * @param repeats whether a deny may answer the next such request, too
   * @param secret what the session is to have of a cookie
   */
  fromQuestion(
    identity: Identity,
    subrequest: Subrequest,
    sessionId: string,
    outcome: Outcome,
    now: number,
    repeats: boolean,
    secret?: SessionSecret,
  ): Decision | Promise<Decision>
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
  clock,
}: KeepOptions): Keep {
  /** @param repeats false: it only counts while no backend answers */
  const remember = (
    identity: Identity,
    decision: Decision,
    now: number,
    repeats: boolean,
    staleUntil = now + decision.holdsFor,
  ): Decision => {
    const freshUntil = repeats ? now + decision.holdsFor : now
    memory.denials.keep(identity, { decision, freshUntil, staleUntil, cookie: identity.cookie })
    return decision
  }

  const denyByBackend = (
    identity: Identity,
    sessionId: string,
    status: number,
    now: number,
    repeats: boolean,
  ): Decision => {
    const holdsFor = terms.denyFor()
    const mayCache = repeats && cacheable.deny(identity)
    const decision = denied(sessionId, 'backend', `backend-${status}`, holdsFor, mayCache)
    return remember(identity, decision, now, repeats, now + decision.holdsFor + STALE_DENY)
  }

  return {
    fromQuestion(identity, subrequest, sessionId, outcome, now, repeats, secret) {
      switch (outcome.kind) {
        case 'allow': {
          const { grant, backend } = outcome
          const isHead = subrequest.isHead === true
          const session = new Session(identity, subrequest, sessionId, now, scopeOf(identity))
          session.secret = secret
          terms.begin(session, grant, backend, now)
          memory.denials.forget(identity)
          const open = (hasPlace: boolean | undefined, at: number): Decision => {
            if (hasPlace === false) return denied(sessionId, 'gate', 'session-limit', 0, false)
            // What was closed while other gates were heard is none of it.
            session.openedAt = at
            memory.sessions.open(session, at)
            memory.stored?.granted(session, terms.resumeFor(grant))
            // nginx's cache would answer the request that plays, and nobody would count it.
            const mayCache = cacheable.allow(identity, session) && !isHead
            return allowedBy(session, 'backend', 'backend-200', at, mayCache)
          }
          const hasPlace = memory.limit?.enter(session, grant, backend, { isHead, tokenless: false })
          return hasPlace instanceof Promise
            ? hasPlace.then((isIn) => open(isIn, clock()))
            : open(hasPlace, now)
        }
        case 'deny':
          return denyByBackend(identity, sessionId, outcome.status, now, repeats)
        case 'refused': {
          const { reason } = outcome
          if (reason === 'too-many-questions') return denied(sessionId, 'gate', reason, 0, false)
          // This question cost the backend three requests, so it must not be repeated at once.
          const mayCache = repeats && cacheable.deny(identity)
          const decision = denied(sessionId, 'gate', reason, defaultFor, mayCache)
          return remember(identity, decision, now, repeats)
        }
        case 'unavailable': {
          const known = memory.denials.find(identity, now)
          const reason = `unavailable-${outcome.reason}` as const
          const mayCache = repeats && cacheable.deny(identity)
          if (known !== undefined && known.decision.source !== 'default') {
            // The deny counts longer, but the backend is asked again as soon as for an unknown request.
            const stale = denied(known.decision.sessionId, 'stale', reason, defaultFor, mayCache)
            return remember(identity, stale, now, repeats, known.staleUntil)
          }
          if (defaultAction === 'deny') {
            const byDefault = denied(sessionId, 'default', reason, defaultFor, mayCache)
            return remember(identity, byDefault, now, repeats)
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
          terms.renew(session, outcome.grant, outcome.backend, now)
          if (session.provisional && !session.ended) {
            memory.provisional.handOver(session)
            session.provisional = false
            memory.sessions.admit(session, now)
          }
          if (!session.ended) memory.limit?.renew(session, outcome.grant, outcome.backend)
          // A silent session is in no table yet, and one that the limit has ended is in none any more.
          if (!session.ended) memory.stored?.granted(session, terms.resumeFor(outcome.grant))
          return allowedBy(session, 'backend', 'backend-200', now, false)
        case 'deny':
          endSession(memory, session, 'denied')
          return denyByBackend(identify(session.opener()), session.id, outcome.status, now, true)
        case 'unavailable':
          terms.postpone(session, outcome.reason, now)
          memory.stored?.postponed(session)
          return allowedWithout(session, outcome.reason, now, false)
      }
    },
  }
}

/** Ends a session in the table that holds it. */
export function endSession(memory: Memory, session: Session, why: SessionEnd): void {
  const table = session.provisional ? memory.provisional : memory.sessions
  table.end(session, why)
}
