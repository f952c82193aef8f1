import { lacksCookie } from '../session/answers.ts'
import { type Cacheable, createCacheable } from '../session/cacheable.ts'
import { type Identity, type PathPatterns, verdictKeyOf } from '../session/identity.ts'
import { createScopeOf, isOwn } from '../session/scope.ts'
import { newSessionId as newRandomId, type Session } from '../session/session.ts'
import type { Question, Subrequest } from '../subrequest.ts'
import {
  allowedBy,
  allowedWithout,
  type Decision,
  denied,
  type Outcome,
  repeated,
  type Verdict,
} from '../verdict.ts'
import { createAskForCookie, type Settle } from './ask-for-cookie.ts'
import { findSession } from './find-session.ts'
import { createFlights } from './flights.ts'
import { createGiveCookie } from './give-cookie.ts'
import { createKeep } from './keep.ts'
import type { Memory } from './memory.ts'
import { createRecallOrAsk, type FirstPlay } from './recall-or-ask.ts'
import { createRecheck } from './recheck.ts'
import { createSecondPlace } from './second-place.ts'
import type { Return } from './stored.ts'
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
  /** As `setTimeout`; the result cancels it. The real one unless given. */
  readonly after?: (milliseconds: number, act: () => void) => () => void
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
  const { ask, identify, lifetimes, clock, defaultAction, outage, limit } = options
  const { newSessionId = newRandomId, after = startTimer } = options
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
    clock,
  })
  const recheck = createRecheck(options, keep)
  const give = createGiveCookie(memory.sessions, options.random)
  const secondPlace = createSecondPlace({ memory, terms, newSessionId, clock })
  const flights = createFlights<Decision>()

  const decide: Decide = (subrequest) => {
    const now = clock()
    const identity = identify(subrequest)

    const session = findSession(memory, identity, now)
    const forCookie = session && askForCookie(session, identity, subrequest, now)
    if (forCookie !== undefined) return forCookie
    const second = limit && session && secondPlace(session, identity, now)
    if (second !== undefined)
      return second.then((own) => (own ? answerBy(own, identity, now) : overLimit(subrequest)))
    if (session !== undefined)
      return limit === undefined || limit.waiting.size === 0 || !limit.waiting.has(session.id)
        ? answerBy(session, identity, now)
        : firstPlay(limit, session, identity, subrequest, now)
    const denial = freshDenial(identity, now)
    if (denial !== undefined) return denial
    // A HEAD opens a session that does not count yet, so nothing else takes its answer.
    const about = subrequest.isHead === true ? '\nHEAD' : ''
    const key = verdictKeyOf(identity) + about + (mayFindOther(identity) ? `\ncookie ${identity.cookie}` : '')
    // Where nothing rides without a cookie, each opening needs its own.
    if (identity.cookieMode === 'strict')
      return recallOrAsk(identity, subrequest, now) ?? question(identity, subrequest, now)
    const flying = flights.join(key)
    if (flying !== undefined) return flying.then((decision) => forFollower(decision, identity))
    return flights.start(key, recallOrAsk(identity, subrequest, now) ?? question(identity, subrequest, now))
  }

  /** The user plays as often as the backend allows already. It is not remembered: room comes any time. */
  const overLimit = (subrequest: Subrequest): Decision => {
    const decision = denied('', 'gate', 'session-limit', 0, false)
    options.onDecision({ subrequest, decision, backend: '', occasion: 'refusal', took: 0 })
    return decision
  }

  const firstPlay: FirstPlay = (limit, session, identity, subrequest, now, as) => {
    // nginx's cache would answer the request that plays, and nobody would count it.
    if (subrequest.isHead === true) return { ...answerBy(session, identity, now, as), cacheable: false }
    const hasPlace = limit.play(session)
    if (hasPlace instanceof Promise) return hasPlace.then(answer)
    return answer(hasPlace)

    function answer(isIn: boolean): Decision | Promise<Decision> {
      if (!isIn) return overLimit(subrequest)
      const decision = answerBy(session, identity, now, as)
      return limit.written()?.then(() => decision) ?? decision
    }
  }

  const answerBy = (session: Session, identity: Identity, now: number, as?: Return): Decision => {
    const isDue = now >= session.dueAt || outage.isOverFor(session, now)
    if (isDue && !session.checking) recheck.start(session, now)
    return fromSession(session, identity, now, cacheable, as)
  }

  /** The store may know a session of this cookie, whatever was said to requests without it. */
  const mayFindOther = ({ cookie }: Identity): boolean => memory.stored !== undefined && cookie !== undefined

  const freshDenial = (identity: Identity, now: number): Decision | undefined => {
    const denial = memory.denials.find(identity, now)
    if (denial === undefined || now >= denial.freshUntil) return undefined
    if (mayFindOther(identity) && denial.cookie !== identity.cookie) return undefined
    return repeated(denial.decision, denial.freshUntil - now, cacheable.deny(identity))
  }

  const question = async (
    identity: Identity,
    subrequest: Subrequest,
    began: number,
    repeats = true,
  ): Promise<Decision> => {
    // A promise only where other gates are heard: each await is a turn that other requests wait for.
    const refused = limit?.refuses(identity, began)
    if (refused instanceof Promise ? await refused : refused) return overLimit(subrequest)
    const sessionId = newSessionId()
    const { credential, viewer } = identity
    const knownViewer = memory.sessions.knows(viewer, identity.cookie) ? viewer : undefined
    const outcome = await ask({ subrequest, sessionId, occasion: 'question', credential, knownViewer })
    return await settle(identity, subrequest, sessionId, outcome, began, repeats)
  }

  /** Keeps the outcome of a question about a request, and answers it. */
  const settle: Settle = async (identity, subrequest, sessionId, outcome, began, repeats = true) => {
    const now = clock()
    outage.note(outcome, now)
    const given =
      outcome.kind === 'allow' ? give.toNew(identity, subrequest, outcome.grant.userId ?? '', now) : undefined
    const kept = keep.fromQuestion(identity, subrequest, sessionId, outcome, now, repeats, given?.secret)
    const decision = kept instanceof Promise ? await kept : kept
    // Not even a crash may bring back what has given way.
    await limit?.written()
    const { backend, kind } = outcome
    const occasion = kind === 'refused' && outcome.reason === 'too-many-questions' ? 'refusal' : 'question'
    options.onDecision({ subrequest, decision, backend, occasion, took: now - began })
    return given?.value === undefined || decision.verdict === 'deny'
      ? decision
      : { ...decision, newCookie: given.value, cacheable: false }
  }

  const askForCookie = createAskForCookie({ ...options, keep, give, answerBy, settle, newSessionId })
  const recallOrAsk = createRecallOrAsk({
    ...{ memory, terms, keep, clock, newSessionId, after, answerBy, firstPlay, question, overLimit },
    askAbout: recheck.ask,
    onDecision: options.onDecision,
  })

  return decide
}

/** What a request gets that has waited for the answer to another one: never its cookie. */
function forFollower({ newCookie, ...decision }: Decision, { channel, cookieMode }: Identity): Decision {
  // With a channel, the first question may be about another of its files, which has another key in nginx's
  // cache.
  const mayCache = newCookie === undefined && channel === undefined && cookieMode === undefined
  return mayCache ? decision : { ...decision, cacheable: false }
}

function fromSession(
  session: Session,
  identity: Identity,
  now: number,
  cacheable: Cacheable,
  as?: Return,
): Decision {
  // Without its cookie a strict session answers one path alone, and that one may be asked about again.
  const mayCache = !lacksCookie(session, identity) && cacheable.allow(identity, session)
  if (session.failure !== undefined) return allowedWithout(session, session.failure.reason, now, mayCache)
  const reason = as ?? (isOwn(session, identity) ? 'remembered' : 'riding')
  return allowedBy(session, 'session', reason, now, mayCache)
}

/** Calls `act` later, unless the process ends before. The result cancels it. */
function startTimer(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds).unref()
  return () => clearTimeout(timer)
}
