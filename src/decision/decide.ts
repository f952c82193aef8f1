import { type Cacheable, createCacheable } from '../session/cacheable.ts'
import { type Identity, type PathPatterns, verdictKeyOf } from '../session/identity.ts'
import { createScopeOf, isOwn } from '../session/scope.ts'
import { newSessionId as newRandomId, type Session } from '../session/session.ts'
import type { Question, Subrequest } from '../subrequest.ts'
import { allowedBy, allowedWithout, type Decision, type Outcome, repeated, type Verdict } from '../verdict.ts'
import { findSession } from './find-session.ts'
import { createFlights } from './flights.ts'
import { createKeep } from './keep.ts'
import type { Memory } from './memory.ts'
import { createRecheck } from './recheck.ts'
import { createRestore } from './restore.ts'
import type { Recalled, Return, Stored } from './stored.ts'
import { createTerms, type Lifetimes } from './terms.ts'

/** A decision that was made, not repeated, as the log and the counters receive it. */
export interface DecisionMade {
  readonly subrequest: Subrequest
  readonly decision: Decision
  /** The backend that answered or failed last; empty for a refusal. */
  readonly backend: string
  /**
   * `re-check`: about a session, with the request that opened it. `refusal`: no backend was asked. `return`:
   * a session of the store answers.
   */
  readonly occasion: 'question' | 're-check' | 'refusal' | 'return'
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
  /** A request has waited for the store in vain for its `timeout`. */
  readonly onStoreLate?: () => void
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
  const { ask, identify, lifetimes, clock, defaultAction, outage, stored } = options
  const { newSessionId = newRandomId } = options
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
  const recheck = createRecheck(options, keep)
  const flights = createFlights<Decision>()

  const decide: Decide = (subrequest) => {
    const now = clock()
    const identity = identify(subrequest)

    const session = findSession(memory, identity, now)
    if (session !== undefined) return answerBy(session, identity, now)
    const denial = freshDenial(identity, now)
    if (denial !== undefined) return denial
    const key = verdictKeyOf(identity)
    const flying = flights.join(key)
    // With a channel, the first question may be about another of its files, which has another key in nginx's
    // cache.
    if (flying !== undefined)
      return identity.channel === undefined
        ? flying
        : flying.then((decision) => ({ ...decision, cacheable: false }))
    const recalling = stored?.recall(identity.viewer)
    return flights.start(
      key,
      stored === undefined || recalling === undefined
        ? question(identity, subrequest, now)
        : recallOrAsk(stored, recalling, identity, subrequest, now),
    )
  }

  const answerBy = (session: Session, identity: Identity, now: number, as?: Return): Decision => {
    const isDue = now >= session.dueAt || outage.isOverFor(session, now)
    if (isDue && !session.checking) recheck.start(session, now)
    return fromSession(session, identity, now, cacheable, as)
  }

  const freshDenial = (identity: Identity, now: number): Decision | undefined => {
    const denial = memory.denials.find(identity, now)
    if (denial === undefined || now >= denial.freshUntil) return undefined
    return repeated(denial.decision, denial.freshUntil - now, cacheable.deny(identity))
  }

  /** The store first, then the backend. When the store is late, both at once. */
  const recallOrAsk = async (
    { timeout }: Stored,
    recalling: Promise<Recalled | undefined>,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision> => {
    const recalled = await Promise.race([recalling, late(timeout)])
    if (recalled !== undefined && recalled !== LATE)
      return (await returned(recalled, identity, subrequest, began)) ?? question(identity, subrequest, began)
    if (recalled === LATE) options.onStoreLate?.()
    // A deny is not remembered: the store might have known better, and it answers again soon.
    const decision = await question(identity, subrequest, began, false)
    // A request without a credential can only be let in by a session, so it waits for the store to the end.
    if (recalled === undefined || decision.verdict === 'allow' || identity.credential) return decision
    const found = await recalling
    return (found && (await returned(found, identity, subrequest, began))) ?? decision
  }

  /** The answer of a session of the store, or of the question about it. */
  const returned = async (
    recalled: Recalled,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision | undefined> => {
    if (restore === undefined) return undefined
    const adopted = restore.adopt(recalled)
    const playing = findSession(memory, identity, clock())
    const session = playing ?? (await restore.resume(recalled, identity))
    const now = clock()
    if (session === undefined) return freshDenial(identity, now)
    const as = playing === undefined ? 'resumed' : adopted.has(playing) ? 'adopted' : undefined
    const decision = answerBy(session, identity, now, as)
    options.onDecision({ subrequest, decision, backend: '', occasion: 'return', took: now - began })
    return decision
  }

  const question = async (
    identity: Identity,
    subrequest: Subrequest,
    began: number,
    remembers = true,
  ): Promise<Decision> => {
    const sessionId = newSessionId()
    const { credential, viewer } = identity
    const knownViewer = memory.sessions.knows(viewer) ? viewer : undefined
    const outcome = await ask({ subrequest, sessionId, occasion: 'question', credential, knownViewer })
    const now = clock()
    outage.note(outcome, now)
    const kept = keep.fromQuestion(identity, subrequest, sessionId, outcome, now)
    const isForgotten = !remembers && outcome.kind === 'deny'
    if (isForgotten) memory.denials.forget(identity)
    const decision = isForgotten ? { ...kept, cacheable: false } : kept
    const { backend, kind } = outcome
    const occasion = kind === 'refused' && outcome.reason === 'too-many-questions' ? 'refusal' : 'question'
    options.onDecision({ subrequest, decision, backend, occasion, took: now - began })
    return decision
  }

  const restore =
    stored &&
    createRestore({
      memory,
      stored,
      terms,
      clock,
      askAbout: recheck.ask,
    })

  return decide
}

function fromSession(
  session: Session,
  identity: Identity,
  now: number,
  cacheable: Cacheable,
  as?: Return,
): Decision {
  const mayCache = cacheable.allow(identity, session)
  if (session.failure !== undefined) return allowedWithout(session, session.failure.reason, now, mayCache)
  const reason = as ?? (isOwn(session, identity) ? 'remembered' : 'riding')
  return allowedBy(session, 'session', reason, now, mayCache)
}

const LATE = Symbol('late')

/** @param milliseconds the process may end before */
function late(milliseconds: number): Promise<typeof LATE> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, LATE).unref())
}
