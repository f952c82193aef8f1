import { type Cacheable, createCacheable } from '../session/cacheable.ts'
import { type Identity, type PathPatterns, verdictKeyOf } from '../session/identity.ts'
import { createScopeOf, isOwn } from '../session/scope.ts'
import { newSessionId as newRandomId, type Session } from '../session/session.ts'
import type { Question, Subrequest } from '../subrequest.ts'
import { allowedBy, allowedWithout, type Decision, type Outcome, repeated, type Verdict } from '../verdict.ts'
import { createKeep, endSession } from './keep.ts'
import type { Memory } from './memory.ts'
import { createTerms, type Lifetimes } from './terms.ts'

/** A decision that was made, not repeated, as the log and the counters receive it. */
export interface DecisionMade {
  readonly subrequest: Subrequest
  readonly decision: Decision
  /** The backend that answered or failed last; empty for a refusal. */
  readonly backend: string
  /** `re-check`: about a playing session, in the background. `refusal`: no backend was asked. */
  readonly occasion: 'question' | 're-check' | 'refusal'
  /** Milliseconds from question to outcome. */
  readonly took: number
}

/** The patterns are those that `identify` reads with. */
export interface DecideOptions extends Memory, PathPatterns {
  /** Asks the backends one question. It never rejects and has its own deadline. */
  readonly ask: (question: Question) => Promise<Outcome>
  readonly identify: (subrequest: Subrequest) => Identity
  readonly lifetimes: Lifetimes
  readonly defaultAction: Verdict
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** The real one unless given. */
  readonly newSessionId?: () => string
  readonly onDecision: (made: DecisionMade) => void
  /** A backend sent an `X-AuthDuration` that is no positive whole number. */
  readonly onBadDuration: (backend: string, sent: string) => void
  /** Our own code threw in the background, where no viewer waits for it. */
  readonly onInternalError: (error: unknown) => void
  /** A re-check has started; `finished` resolves once its outcome is kept, and never rejects. */
  readonly onRecheck?: (finished: Promise<void>) => void
}

/** Returns the decision itself where one is known, a promise of one where the backend must be asked. */
export type Decide = (subrequest: Subrequest) => Decision | Promise<Decision>

/**
 * Builds the decision: a known verdict is repeated; otherwise the backend is asked and its outcome kept.
 * `keep` turns an outcome into a decision. `outage` says how long an allow counts while no backend answers.
 */
export function createDecide(options: DecideOptions): Decide {
  const { ask, identify, lifetimes, clock, defaultAction, outage, newSessionId = newRandomId } = options
  const memory: Memory = options
  const terms = createTerms(lifetimes, options.random, options.onBadDuration)
  const cacheable = createCacheable(options)
  const keep = createKeep({
    memory,
    terms,
    cacheable,
    identify,
    scopeOf: createScopeOf(options),
    defaultAction,
    defaultFor: lifetimes.default,
  })
  const flights = createFlights<Decision>()

  const decide: Decide = (subrequest) => {
    const now = clock()
    const identity = identify(subrequest)

    const session = findSession(memory, identity, now)
    if (session !== undefined) {
      const isDue = now >= session.dueAt || outage.isOverFor(session, now)
      if (isDue && !session.checking) startRecheck(session, now)
      return fromSession(session, identity, now, cacheable)
    }
    const denial = memory.denials.find(identity, now)
    if (denial !== undefined && now < denial.freshUntil) {
      return repeated(denial.decision, denial.freshUntil - now, cacheable.deny(identity))
    }
    const key = verdictKeyOf(identity)
    const flying = flights.join(key)
    // With a channel, the first question may be about another of its files, which has another key in nginx's
    // cache.
    if (flying !== undefined)
      return identity.channel === undefined
        ? flying
        : flying.then((decision) => ({ ...decision, cacheable: false }))
    return flights.start(key, question(identity, subrequest, now))
  }

  const question = async (identity: Identity, subrequest: Subrequest, began: number): Promise<Decision> => {
    const sessionId = newSessionId()
    const { credential, viewer } = identity
    const knownViewer = memory.sessions.knows(viewer) ? viewer : undefined
    const outcome = await ask({ subrequest, sessionId, occasion: 'question', credential, knownViewer })
    const now = clock()
    outage.note(outcome, now)
    const decision = keep.fromQuestion(identity, subrequest, sessionId, outcome, now)
    const { backend, kind } = outcome
    const occasion = kind === 'refused' && outcome.reason === 'too-many-questions' ? 'refusal' : 'question'
    options.onDecision({ subrequest, decision, backend, occasion, took: now - began })
    return decision
  }

  const startRecheck = (session: Session, now: number): void => {
    const finished = recheck(session, now).catch(options.onInternalError)
    options.onRecheck?.(finished)
  }

  /** Asks again about a playing session with the request that opened it. No viewer waits for it. */
  const recheck = async (session: Session, began: number): Promise<void> => {
    const subrequest = session.opener()
    session.checking = true
    const outcome = await ask({
      subrequest,
      sessionId: session.id,
      occasion: 're-check',
      credential: identify(subrequest).credential,
      knownViewer: session.provisional ? undefined : session.viewer,
    }).finally(() => {
      session.checking = false
    })
    // Too many re-checks of its address are under way: the session stays due.
    if (outcome.kind === 'refused') return
    const now = clock()
    outage.note(outcome, now)
    const decision = keep.fromRecheck(session, outcome, now)
    const { backend } = outcome
    options.onDecision({ subrequest, decision, backend, occasion: 're-check', took: now - began })
    if (decision.verdict === 'allow') return
    // The viewer may have a session for each playlist of a channel. Each would still answer one request
    // before its own re-check, so all that are due are re-checked now.
    for (const other of memory.sessions.overdue(session.viewer, now)) startRecheck(other, now)
  }

  return decide
}

function fromSession(session: Session, identity: Identity, now: number, cacheable: Cacheable): Decision {
  const mayCache = cacheable.allow(identity, session)
  if (session.failure !== undefined) return allowedWithout(session, session.failure.reason, now, mayCache)
  return allowedBy(session, 'session', isOwn(session, identity) ? 'remembered' : 'riding', now, mayCache)
}

/** Questions under way, by key. */
export interface Flights<Result> {
  /** The question under way with this key, if there is one. */
  join(key: string): Promise<Result> | undefined
  /** Registers a question; others can join it until it settles. */
  start(key: string, flight: Promise<Result>): Promise<Result>
}

/**
 * Single-flight: simultaneous questions with the same key are asked once. A follower arrives after the leader
 * and takes the leader's result, so it never waits longer than one question may take.
 */
export function createFlights<Result>(): Flights<Result> {
  const flying = new Map<string, Promise<Result>>()
  return {
    join: (key) => flying.get(key),
    start(key, flight) {
      const landing = flight.finally(() => flying.delete(key))
      flying.set(key, landing)
      return landing
    },
  }
}

/**
 * The session that answers this request, if any. One that a backend allowed goes before a provisional one.
 */
export function findSession(memory: Memory, identity: Identity, now: number): Session | undefined {
  for (;;) {
    const allowed = memory.sessions.find(identity, now)
    if (allowed !== undefined) memory.provisional.keep(identity, now)
    const session = allowed ?? memory.provisional.find(identity, now)
    if (session === undefined || !memory.outage.hasExpired(session, now)) return session
    endSession(memory, session, 'expired')
  }
}
