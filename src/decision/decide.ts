import type { Denials } from '../session/denials.ts'
import { type Identity, verdictKeyOf } from '../session/identity.ts'
import { sameTarget } from '../session/scope.ts'
import { newSessionId, type Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Grant, Outcome, UnavailableReason, Verdict } from '../verdict.ts'
import { jittered, type Lifetimes, readAuthDuration, STALE_DENY } from './lifetimes.ts'

/** One decision that was made (not a repeated one): what the log and the counters are told. */
export interface DecisionMade {
  readonly subrequest: Subrequest
  readonly decision: Decision
  /** The backend that answered or failed last. */
  readonly backend: string
  /** `re-check` when a playing session was asked about in the background. */
  readonly occasion: 'question' | 're-check'
  /** Milliseconds from question to outcome. */
  readonly took: number
}

export interface DecideOptions {
  /** One question to the backends; never rejects, and keeps its own deadline. */
  readonly ask: (subrequest: Subrequest, sessionId: string) => Promise<Outcome>
  readonly identify: (subrequest: Subrequest) => Identity
  /** Sessions that a backend allowed. */
  readonly sessions: SessionTable
  /** Sessions that the default action let in: a bound of their own, so that an outage evicts no allowed viewer. */
  readonly provisional: SessionTable
  readonly denials: Denials
  readonly lifetimes: Lifetimes
  readonly defaultAction: Verdict
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly onDecision: (made: DecisionMade) => void
  /** A backend sent an `X-AuthDuration` that means nothing. */
  readonly onBadDuration: (backend: string, sent: string) => void
  /** Our own code threw where no viewer waits for it. */
  readonly onInternalError: (error: unknown) => void
}

/** A Decision at once where one is known, a promise of one where the backend must be asked. Neither throws nor rejects by design. */
export type Decide = (subrequest: Subrequest) => Decision | Promise<Decision>

/** After an outage the sessions that lived through it are re-checked within this many milliseconds, spread evenly. */
const RECOVERY_SPREAD = 3000

/** Fresh? → ask → keep; else stale? → else the default action. */
export function createDecide(options: DecideOptions): Decide {
  const { ask, identify, sessions, provisional, denials, lifetimes, defaultAction, clock, random } = options
  const flights = new Map<string, Promise<Decision>>()
  let backendIsAway = false
  let recoveredAt = Number.NEGATIVE_INFINITY

  const decide: Decide = (subrequest) => {
    const now = clock()
    const identity = identify(subrequest)

    const session = sessions.find(identity, now) ?? provisional.find(identity, now)
    if (session !== undefined) {
      if (isDue(session, now)) {
        if (now >= session.holdsUntil) tableOf(session).end(session)
        else if (!session.checking) recheck(session, now).catch(options.onInternalError)
      }
      if (!session.ended) return fromSession(session, identity, now)
    }

    const denial = denials.find(identity, now)
    if (denial !== undefined && now < denial.freshUntil) {
      return repeated(denial.decision, denial.freshUntil - now)
    }
    return askTogether(identity, subrequest)
  }

  /** Simultaneous questions with one key are one question. The leader keeps a deadline, so no follower waits past its own. */
  const askTogether = (identity: Identity, subrequest: Subrequest): Promise<Decision> => {
    const key = verdictKeyOf(identity)
    const flying = flights.get(key)
    if (flying !== undefined) return flying
    const flight = askFirst(identity, subrequest).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  const askFirst = async (identity: Identity, subrequest: Subrequest): Promise<Decision> => {
    const asked = clock()
    const sessionId = newSessionId()
    const outcome = await ask(subrequest, sessionId)
    const now = clock()
    note(outcome, now)
    const decision = keep(identity, subrequest, sessionId, outcome, now)
    options.onDecision({
      subrequest,
      decision,
      backend: outcome.backend,
      occasion: 'question',
      took: now - asked,
    })
    return decision
  }

  const keep = (
    identity: Identity,
    subrequest: Subrequest,
    sessionId: string,
    outcome: Outcome,
    now: number,
  ): Decision => {
    switch (outcome.kind) {
      case 'allow': {
        const session = createSession(identity, subrequest, sessionId, now)
        grant(session, outcome, now)
        denials.forget(identity)
        sessions.open(session, now)
        return allowedBy(session, 'backend', 'backend-200', now)
      }
      case 'deny': {
        const decision = denied(sessionId, 'backend', `backend-${outcome.status}`, lifetimes.deny)
        keepDenial(identity, decision, now)
        return decision
      }
      case 'unavailable': {
        const known = denials.find(identity, now)
        if (known !== undefined && known.decision.source === 'backend') {
          return denied(known.decision.sessionId, 'stale', `unavailable-${outcome.reason}`, 0)
        }
        return byDefault(identity, subrequest, sessionId, outcome.reason, now)
      }
    }
  }

  /** Nobody knows this request and nobody can be asked. */
  const byDefault = (
    identity: Identity,
    subrequest: Subrequest,
    sessionId: string,
    reason: UnavailableReason,
    now: number,
  ): Decision => {
    if (defaultAction === 'deny') {
      const decision = denied(sessionId, 'default', `unavailable-${reason}`, lifetimes.default)
      const freshUntil = now + lifetimes.default
      denials.keep(identity, { decision, freshUntil, staleUntil: freshUntil })
      return decision
    }
    const session = createSession(identity, subrequest, sessionId, now)
    session.provisional = true
    postpone(session, reason, now)
    provisional.open(session, now)
    return allowedBy(session, 'default', `unavailable-${reason}`, now)
  }

  /** Asks again about a playing session with the request that opened it; the viewer waits for nothing. */
  const recheck = async (session: Session, asked: number): Promise<void> => {
    session.checking = true
    const outcome = await ask(session.opener, session.id)
    session.checking = false
    const now = clock()
    note(outcome, now)
    const decision = settle(session, outcome, now)
    options.onDecision({
      subrequest: session.opener,
      decision,
      backend: outcome.backend,
      occasion: 're-check',
      took: now - asked,
    })
  }

  const settle = (session: Session, outcome: Outcome, now: number): Decision => {
    switch (outcome.kind) {
      case 'allow': {
        const wasProvisional = session.provisional
        grant(session, outcome, now)
        if (wasProvisional && !session.ended) {
          provisional.end(session)
          session.provisional = false
          sessions.open(session, now)
        }
        return allowedBy(session, 'backend', 'backend-200', now)
      }
      case 'deny': {
        tableOf(session).end(session)
        const decision = denied(session.id, 'backend', `backend-${outcome.status}`, lifetimes.deny)
        keepDenial(identify(session.opener), decision, now)
        return decision
      }
      case 'unavailable':
        postpone(session, outcome.reason, now)
        return allowedBy(
          session,
          session.provisional ? 'default' : 'stale',
          `unavailable-${outcome.reason}`,
          now,
        )
    }
  }

  const grant = (session: Session, outcome: Extract<Outcome, { kind: 'allow' }>, now: number): void => {
    const ttl = ttlOf(outcome.grant, outcome.backend)
    session.userId = outcome.grant.userId ?? ''
    session.dueAt = now + ttl
    session.holdsUntil = session.dueAt + lifetimes.stale
    session.failure = undefined
  }

  const ttlOf = (granted: Grant, backend: string): number => {
    if (lifetimes.allow === 'session') return Number.POSITIVE_INFINITY
    const duration = readAuthDuration(granted.authDuration)
    if (duration === 'invalid') options.onBadDuration(backend, granted.authDuration ?? '')
    return jittered(typeof duration === 'number' ? duration : lifetimes.allow, random)
  }

  /** The backend gave no answer about this session: ask again one interval later. */
  const postpone = (session: Session, reason: UnavailableReason, now: number): void => {
    const interval =
      session.provisional || lifetimes.allow === 'session' ? lifetimes.default : lifetimes.allow
    session.failure = { reason, at: now }
    session.dueAt = now + jittered(interval, random)
    if (session.provisional) session.holdsUntil = Number.POSITIVE_INFINITY
  }

  const keepDenial = (identity: Identity, decision: Decision, now: number): void => {
    const freshUntil = now + jittered(lifetimes.deny, random)
    denials.keep(identity, { decision, freshUntil, staleUntil: freshUntil + STALE_DENY })
  }

  /** Remembers since when the backend answers again. */
  const note = (outcome: Outcome, now: number): void => {
    const away = outcome.kind === 'unavailable'
    if (backendIsAway && !away) recoveredAt = now
    backendIsAway = away
  }

  const isDue = (session: Session, now: number): boolean => {
    if (now >= session.dueAt) return true
    return (
      session.failure !== undefined &&
      session.failure.at < recoveredAt &&
      now >= recoveredAt + spreadOf(session)
    )
  }

  const tableOf = (session: Session): SessionTable => (session.provisional ? provisional : sessions)

  const fromSession = (session: Session, identity: Identity, now: number): Decision => {
    if (session.failure !== undefined) {
      const source = session.provisional ? 'default' : 'stale'
      return allowedBy(session, source, `unavailable-${session.failure.reason}`, now)
    }
    const own = session.query === identity.query && sameTarget(session.target, identity.target)
    return allowedBy(session, 'session', own ? 'remembered' : 'riding', now)
  }

  return decide
}

function createSession(identity: Identity, subrequest: Subrequest, id: string, now: number): Session {
  return {
    id,
    viewer: identity.viewer,
    target: identity.target,
    query: identity.query,
    opener: subrequest,
    provisional: false,
    userId: '',
    lastSeen: now,
    dueAt: now,
    holdsUntil: now,
    checking: false,
    failure: undefined,
    ended: false,
    older: undefined,
  }
}

function allowedBy(
  session: Session,
  source: Decision['source'],
  reason: Decision['reason'],
  now: number,
): Decision {
  const holdsFor = Math.max(0, session.dueAt - now)
  return { verdict: 'allow', source, reason, sessionId: session.id, userId: session.userId, holdsFor }
}

function denied(
  sessionId: string,
  source: Decision['source'],
  reason: Decision['reason'],
  holdsFor: number,
): Decision {
  return { verdict: 'deny', source, reason, sessionId, userId: '', holdsFor }
}

/** A remembered deny keeps its id; a default deny keeps telling that the backend was unavailable. */
function repeated(decision: Decision, holdsFor: number): Decision {
  if (decision.source !== 'backend') return { ...decision, holdsFor }
  return { ...decision, source: 'session', reason: 'remembered', holdsFor }
}

/** An even spread over RECOVERY_SPREAD that stays the same for one session: its id is random. */
function spreadOf(session: Session): number {
  const digits = session.id.charCodeAt(0) * 64 + session.id.charCodeAt(1)
  return ((digits % 61) / 61) * RECOVERY_SPREAD
}
