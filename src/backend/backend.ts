import { addressGroupsOf } from '../address.ts'
import type { Question } from '../subrequest.ts'
import { notTheBackends, type Outcome, type RefusedReason, type UnavailableReason } from '../verdict.ts'
import { createControlRequest } from './alta-contract.ts'
import { type AskBackend, type Asked, createAskBackend } from './ask-backend.ts'
import { type Breaker, type BreakerState, createBreaker } from './breaker.ts'
import { createClient } from './client.ts'
import { timeLeft } from './deadline.ts'
import type { Endpoint } from './endpoint.ts'
import { type Control, createControl, createWitnesses, type Witnesses } from './evidence.ts'
import { applicantOf, type Concurrency, createConcurrency, createLine, type Line } from './line.ts'
import { createRehearsedAsk, type Exchange } from './rehearsed-ask.ts'

export interface BackendOptions {
  readonly endpoint: Endpoint
  /** Questions under way at most. */
  readonly concurrency: number
  /** What one question may take, in milliseconds. */
  readonly timeout: number
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** What came of each question, and after how many milliseconds. */
  readonly onOutcome: (outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
}

/** One backend with all that stands between it and a question. */
export interface Backend {
  readonly name: string
  readonly ask: GuardedAsk
  /** As `ask`, but leaves no trace; `seen` is told of the exchange. */
  rehearse(seen: (exchange: Exchange) => void): GuardedAsk
  /** For people: the breaker's state, questions under way and waiting, and how many may be under way now. */
  state(): {
    readonly breaker: BreakerState['kind']
    readonly inFlight: number
    readonly places: number
    readonly waiting: number
  }
  close(): Promise<void>
}

/** Questions that may wait, for each that may be under way, and what all of them may cost in memory, in bytes. */
const LINE_FACTOR = 16
const LINE_BYTES = 16 * 1024 * 1024

export function createBackend(options: BackendOptions): Backend {
  const { endpoint, unavailableStatus, timeout, clock, random, onInternalError } = options
  const { name } = endpoint
  const client = createClient(endpoint, options.concurrency, timeout)
  const breaker = createBreaker({ clock, random })
  const concurrency = createConcurrency(options.concurrency, clock)
  const line = createLine({
    limit: concurrency.limit,
    length: options.concurrency * LINE_FACTOR,
    bytes: LINE_BYTES,
  })
  const control = createControl({
    request: createControlRequest(endpoint),
    client,
    unavailableStatus,
    timeout,
    clock,
    isOff: () => breaker.state().kind !== 'closed',
  })
  const witnesses = createWitnesses(clock)
  const asking = { endpoint, client, control, witnesses, unavailableStatus, clock, onInternalError }
  const ask = createGuardedAsk({
    backend: name,
    ask: createAskBackend(asking),
    breaker,
    line,
    concurrency,
    control,
    witnesses,
    clock,
  })
  return {
    name,
    async ask(question, budget, giveUp) {
      const began = clock()
      const outcome = await ask(question, budget, giveUp)
      options.onOutcome(outcome, clock() - began)
      return outcome
    },
    rehearse: createRehearsedAsk({ ...asking, breaker, line }),
    state: () => ({
      breaker: breaker.state().kind,
      inFlight: line.held(),
      places: concurrency.limit(),
      waiting: line.waiting(),
    }),
    close: () => client.close(),
  }
}

export interface GuardedAskOptions {
  readonly backend: string
  readonly ask: AskBackend
  readonly breaker: Breaker
  readonly line: Line
  readonly concurrency: Concurrency
  readonly control: Control
  readonly witnesses: Witnesses
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** `budget` in milliseconds; `giveUp` aborts when another backend has decided. Never rejects. */
export type GuardedAsk = (question: Question, budget: number, giveUp?: AbortSignal) => Promise<Outcome>

/** So many other networks must have met failures too, where a control question was answered. */
const SHARED = 2

/** Asks only a backend that is thought to be alive and has room, and learns from what comes of it. */
export function createGuardedAsk(options: GuardedAskOptions): GuardedAsk {
  const { backend, ask, breaker, line, concurrency, control, witnesses, clock } = options
  let answeredAt = Number.NEGATIVE_INFINITY

  const without = (reason: UnavailableReason): Outcome => ({ kind: 'unavailable', backend, reason })
  const refused = (reason: RefusedReason): Outcome => ({ kind: 'refused', backend, reason })

  /**
   * Whoever waited behind their own is refused, unless the backend has said nothing to anybody meanwhile: then it is away for them as
   * for all others.
   */
  const afterWaiting = async (began: number, patience: number): Promise<Outcome> => {
    const isAlive =
      answeredAt >= began || control.hasAnsweredSince(began) || (await control.isAlive(patience))
    return isAlive ? refused('too-many-questions') : without('overload')
  }

  const learn = ({ outcome, isUnconfirmed }: Asked, question: Question, sentAt: number): void => {
    const { network, client } = addressGroupsOf(question.subrequest.address)
    const isAnswer = outcome.kind === 'allow' || outcome.kind === 'deny'
    // A script may refuse at once who brings no credential, over a database that hangs.
    if (!isAnswer) witnesses.note(network, false)
    else if (outcome.kind === 'allow' || question.credential) witnesses.note(network, true)

    if (isAnswer || (outcome.kind === 'unavailable' && outcome.reason === 'status')) {
      if (breaker.state().kind !== 'closed') concurrency.restart()
      breaker.succeeded()
    }
    if (isAnswer) {
      answeredAt = clock()
      concurrency.answered()
      line.advance()
    } else if (outcome.kind === 'unavailable' && !notTheBackends.has(outcome.reason)) {
      // One network's slow questions do not take away the places of others.
      const isShared = !isUnconfirmed || witnesses.others(network).failed >= SHARED
      if (outcome.reason === 'timeout' && isShared) concurrency.timedOut(sentAt)
      // What one network may have provoked counts as one client's.
      if (outcome.reason !== 'status') breaker.failed(isUnconfirmed ? network : client)
    }
  }

  return async (question, budget, giveUp) => {
    const applicant = applicantOf(question)
    if (!breaker.admits(applicant.groups.network)) return without('breaker')
    const began = clock()
    const admission = await line.enter(applicant, budget)
    if (admission.kind === 'overload') return without('overload')
    const waited = clock() - began
    if (admission.kind === 'excess')
      return admission.waited ? afterWaiting(began, budget - waited) : refused('too-many-questions')
    if (giveUp?.aborted) {
      admission.release()
      return without('timeout')
    }
    const left = timeLeft(budget - waited, budget / 2)
    const asked = await ask(question, applicant.groups, left, admission.release)
    const { outcome } = asked
    // Too little time was left because of its own: that it went by says nothing about the backend.
    if (
      admission.isLate &&
      left < budget / 2 &&
      outcome.kind === 'unavailable' &&
      outcome.reason === 'timeout'
    )
      return afterWaiting(began, 0)
    learn(asked, question, began + waited)
    return outcome
  }
}
