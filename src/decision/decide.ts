import { type Identity, verdictKeyOf } from '../session/identity.ts'
import { isOwn } from '../session/scope.ts'
import { newSessionId, type Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome, Verdict } from '../verdict.ts'
import { type Cacheable, createCacheable } from './cacheable.ts'
import { allowedBy, allowedWithout, denied, repeated } from './decisions.ts'
import type { FairShare } from './fair-share.ts'
import { createFlights } from './flights.ts'
import { createKeep } from './keep.ts'
import { findSession, type Memory } from './memory.ts'
import { createTerms, type Lifetimes } from './terms.ts'

/** One decision that was made, not repeated: what the log and the counters are told. */
export interface DecisionMade {
  readonly subrequest: Subrequest
  readonly decision: Decision
  /** The backend that answered or failed last; empty for a refusal. */
  readonly backend: string
  /** `re-check` when a playing session was asked about in the background, `refusal` when nobody was asked. */
  readonly occasion: 'question' | 're-check' | 'refusal'
  /** Milliseconds from question to outcome. */
  readonly took: number
}

export interface DecideOptions extends Memory {
  /** One question to the backends; never rejects, and keeps its own deadline. */
  readonly ask: (subrequest: Subrequest, sessionId: string) => Promise<Outcome>
  readonly identify: (subrequest: Subrequest) => Identity
  /** The one that `identify` reads channels with. */
  readonly channelPattern: RegExp | undefined
  readonly lifetimes: Lifetimes
  readonly defaultAction: Verdict
  /** Bounds the questions that one client may have under way. */
  readonly questions: FairShare
  /** Of their own, so that a viewer whose time is over cannot put off its re-checks by a flood of questions. */
  readonly rechecks: FairShare
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

/** A decision at once where one is known, a promise of one where the backend must be asked. */
export type Decide = (subrequest: Subrequest) => Decision | Promise<Decision>

/** Known? → repeat it, else ask → keep. What an outcome becomes is decided in `keep`, what an outage leaves of a session in `outage`. */
export function createDecide(options: DecideOptions): Decide {
  const { ask, identify, lifetimes, clock, defaultAction, questions, rechecks, outage } = options
  const memory: Memory = options
  const terms = createTerms(lifetimes, options.random, options.onBadDuration)
  const cacheable = createCacheable(options.channelPattern)
  const keep = createKeep({
    memory,
    terms,
    cacheable,
    identify,
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
    // Where a channel is asked about, this may be another of its files, which nginx knows by another key.
    if (flying !== undefined)
      return identity.channel === undefined
        ? flying
        : flying.then((decision) => ({ ...decision, cacheable: false }))
    if (!questions.take(subrequest.address)) return refuse(subrequest)
    return flights.start(
      key,
      question(identity, subrequest).finally(() => questions.giveBack(subrequest.address)),
    )
  }

  /** This client has its share under way: its own excess is denied, and never anybody's reason for the default action. */
  const refuse = (subrequest: Subrequest): Decision => {
    const decision = denied('', 'gate', 'too-many-questions', 0, false)
    options.onDecision({ subrequest, decision, backend: '', occasion: 'refusal', took: 0 })
    return decision
  }

  const question = async (identity: Identity, subrequest: Subrequest): Promise<Decision> => {
    const began = clock()
    const sessionId = newSessionId()
    const outcome = await ask(subrequest, sessionId)
    const now = clock()
    outage.note(outcome, now)
    const decision = keep.fromQuestion(identity, subrequest, sessionId, outcome, now)
    const { backend } = outcome
    options.onDecision({ subrequest, decision, backend, occasion: 'question', took: now - began })
    return decision
  }

  /** Without a place in the client's share the re-check stays due. */
  const startRecheck = (session: Session, now: number): void => {
    const { address } = session.opener()
    if (!rechecks.take(address)) return
    recheck(session, now)
      .catch(options.onInternalError)
      .finally(() => rechecks.giveBack(address))
  }

  /** Asks again about a playing session with the request that opened it; the viewer waits for nothing. */
  const recheck = async (session: Session, began: number): Promise<void> => {
    const subrequest = session.opener()
    session.checking = true
    const outcome = await ask(subrequest, session.id).finally(() => {
      session.checking = false
    })
    const now = clock()
    outage.note(outcome, now)
    const decision = keep.fromRecheck(session, outcome, now)
    const { backend } = outcome
    options.onDecision({ subrequest, decision, backend, occasion: 're-check', took: now - began })
    if (decision.verdict === 'allow') return
    // The viewer may hold a session for each playlist of a channel, and would live on through the others for one request each.
    for (const other of memory.sessions.overdue(session.viewer, now)) startRecheck(other, now)
  }

  return decide
}

function fromSession(session: Session, identity: Identity, now: number, cacheable: Cacheable): Decision {
  const mayCache = cacheable.allow(identity, session)
  if (session.failure !== undefined) return allowedWithout(session, session.failure.reason, now, mayCache)
  return allowedBy(session, 'session', isOwn(session, identity) ? 'remembered' : 'riding', now, mayCache)
}
