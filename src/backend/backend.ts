import type { AddressGroups, AddressGroupsOf } from '../address.ts'
import { createControlRequest } from '../client/alta-contract.ts'
import { createClient } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { Question } from '../subrequest.ts'
import { notTheBackends, type Outcome, type RefusedReason, type UnavailableReason } from '../verdict.ts'
import { type AskBackend, type Asked, createAskBackend } from './ask-backend.ts'
import {
  type Breaker,
  type BreakerState,
  type Concurrency,
  createBreaker,
  createConcurrency,
} from './breaker.ts'
import { type Control, createControl, createNetworkOutcomes, type NetworkOutcomes } from './evidence.ts'
import { applicantOf, createLine, type Line } from './line.ts'
import { createRehearsedAsk, type Exchange } from './rehearsed-ask.ts'
import { timeLeft } from './timer.ts'

export interface BackendOptions {
  readonly endpoint: Endpoint
  /** Questions under way at most. */
  readonly concurrency: number
  /** What one question may take, in milliseconds. */
  readonly timeout: number
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Whom an address counts with. */
  readonly groupsOf: AddressGroupsOf
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** Called with the outcome of each question, and how many milliseconds it took. */
  readonly onOutcome: (outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
}

/** One backend with its breaker, its queue and its client. */
export interface Backend {
  /** Its URL without user, password and parameters. */
  readonly name: string
  readonly ask: GuardedAsk
  /** As `ask`, but changes nothing; calls `seen` with each exchange. */
  rehearse(seen: (exchange: Exchange) => void): GuardedAsk
  /** For metrics and the live page. */
  state(): {
    readonly breaker: BreakerState['kind']
    /** Questions under way. */
    readonly inFlight: number
    /** How many may be under way now. */
    readonly places: number
    /** Questions in the queue. */
    readonly waiting: number
  }
  close(): Promise<void>
}

/** Bounds of the queue: questions for each that may be under way, and bytes in all. */
const LINE_FACTOR = 16
const LINE_BYTES = 16 * 1024 * 1024

/** Part of the deadline within which an answer is quick: the backend can take more questions. */
const QUICK = 1 / 4

export function createBackend(options: BackendOptions): Backend {
  const { endpoint, unavailableStatus, groupsOf, timeout, clock, random, onInternalError } = options
  const { name } = endpoint
  const client = createClient(endpoint, options.concurrency, timeout)
  const breaker = createBreaker({ clock, random })
  const concurrency = createConcurrency({ most: options.concurrency, quick: timeout * QUICK, clock })
  const line = createLine({
    places: concurrency.places,
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
  const networks = createNetworkOutcomes(clock)
  const asking = { endpoint, client, control, networks, unavailableStatus, timeout, clock, onInternalError }
  const ask = createGuardedAsk({
    backend: name,
    ask: createAskBackend(asking),
    breaker,
    line,
    concurrency,
    control,
    networks,
    groupsOf,
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
    rehearse: createRehearsedAsk({ ...asking, breaker, line, groupsOf }),
    state: () => ({
      breaker: breaker.state().kind,
      inFlight: line.held(),
      places: concurrency.places().limit,
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
  readonly networks: NetworkOutcomes
  readonly groupsOf: AddressGroupsOf
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/**
 * Asks one backend within `budget` milliseconds; never rejects. `giveUp` aborts when another backend has
 * decided: then a question that still waits is not sent.
 */
export type GuardedAsk = (question: Question, budget: number, giveUp?: AbortSignal) => Promise<Outcome>

/** Other networks that must have failed too, before an unconfirmed timeout lowers the concurrency. */
const SHARED = 2

/** Puts the breaker, the queue and the concurrency limit before `ask`, and updates them with each outcome. */
export function createGuardedAsk(options: GuardedAskOptions): GuardedAsk {
  const { backend, ask, breaker, line, concurrency, control, networks, clock } = options
  let answeredAt = Number.NEGATIVE_INFINITY

  const without = (reason: UnavailableReason): Outcome => ({ kind: 'unavailable', backend, reason })
  const refused = (reason: RefusedReason): Outcome => ({ kind: 'refused', backend, reason })

  /**
   * The outcome of a question whose time ran out through others of its own address group. It is refused, but
   * if the backend has answered nobody since `began`, it is unavailable as for all others.
   */
  const byItsOwn = (began: number, isAlive: boolean): Outcome =>
    isAlive || answeredAt >= began ? refused('too-many-questions') : without('overload')

  const learn = (
    { outcome, isUnconfirmed }: Asked,
    { network, client }: AddressGroups,
    question: Question,
    sentAt: number,
  ): void => {
    const isAnswer = outcome.kind === 'allow' || outcome.kind === 'deny'
    // A deny without a credential shows nothing: a script may send it without its database, which may hang.
    if (!isAnswer) networks.note(network, false)
    else if (outcome.kind === 'allow' || question.credential) networks.note(network, true)

    if (isAnswer || (outcome.kind === 'unavailable' && outcome.reason === 'status')) {
      if (breaker.state().kind !== 'closed') concurrency.restart()
      breaker.succeeded()
    }
    if (isAnswer) {
      answeredAt = clock()
      concurrency.answered(answeredAt - sentAt)
      line.advance()
    } else if (outcome.kind === 'unavailable' && !notTheBackends.has(outcome.reason)) {
      // Slow questions of a single network must not lower the limit for all.
      const isShared = !isUnconfirmed || networks.others(network).failed >= SHARED
      if (outcome.reason === 'timeout') concurrency.lendNothing()
      if (outcome.reason === 'timeout' && isShared) concurrency.timedOut(sentAt)
      // Failures that one network may have caused count as those of one client. So do those beside an answer.
      const isOfNetwork = isUnconfirmed || answeredAt >= sentAt
      if (outcome.reason !== 'status') breaker.failed(isOfNetwork ? network : client)
    }
  }

  return async (question, budget, giveUp) => {
    const applicant = applicantOf(question, options.groupsOf)
    if (!breaker.admits(applicant.groups.network)) return without('breaker')
    const began = clock()
    const entered = line.enter(applicant, budget)
    const admission = entered instanceof Promise ? await entered : entered
    if (admission.kind === 'overload') return without('overload')
    const waited = clock() - began
    if (admission.kind === 'excess') {
      if (!admission.waited) return refused('too-many-questions')
      return byItsOwn(began, answeredAt >= began || (await control.isAlive(budget - waited)))
    }
    if (giveUp?.aborted) {
      admission.release()
      return without('timeout')
    }
    const left = timeLeft(budget - waited, budget / 2)
    const asked = await ask(question, applicant.groups, left, (isAnswered) => {
      // A late answer is a sign of life, too.
      if (isAnswered) answeredAt = clock()
      admission.release()
    })
    const { outcome } = asked
    const isTimeout = outcome.kind === 'unavailable' && outcome.reason === 'timeout'
    // Questions of its own group took its time, or the backend's: this says nothing about the backend.
    if (isTimeout && (admission.isBorrowed || (admission.isLate && left < budget / 2))) {
      concurrency.lendNothing()
      if (!asked.isUnconfirmed) concurrency.timedOut(began + waited)
      return byItsOwn(began, asked.isUnconfirmed)
    }
    learn(asked, applicant.groups, question, began + waited)
    return outcome
  }
}
