import type { AddressGroupsOf } from '../address.ts'
import { type Client, createClient } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { Question } from '../subrequest.ts'
import { type After, startTimer, timeLeft } from '../timer.ts'
import { notTheBackends, type Outcome, type UnavailableReason } from '../verdict.ts'
import { type Asked, createAskBackend } from './ask-backend.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import { createConcurrency } from './concurrency.ts'
import { createControlQuestion } from './control-question.ts'
import { applicantOf, createLine, type Factors } from './line.ts'
import { createNetworkOutcomes } from './network-outcomes.ts'
import { createRehearsedAsk, type Exchange } from './rehearsed-ask.ts'

interface BackendOptions {
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
  /** Called with the outcome of each question, and how many milliseconds it took. */
  readonly onOutcome: (outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
  /** The real ones unless given. */
  readonly client?: Client
  readonly after?: After
  /** As shipped unless given. */
  readonly factors?: Factors
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

/**
 * Asks one backend within `budget` milliseconds; never rejects. `giveUp` aborts when another backend has
 * decided: then a question that still waits is not sent.
 */
export type GuardedAsk = (question: Question, budget: number, giveUp?: AbortSignal) => Promise<Outcome>

/** The part of its budget that a question may wait; the rest is for the answer. */
const PATIENCE = 0.5

/** The breaker, the queue and the number of places stand before the question, and learn from its outcome. */
export function createBackend(options: BackendOptions): Backend {
  const { endpoint, unavailableStatus, groupsOf, timeout, clock } = options
  const { client = createClient(endpoint, options.concurrency, timeout), after = startTimer } = options
  const backend = endpoint.name
  const breaker = createBreaker(clock)
  const concurrency = createConcurrency(options.concurrency, clock)
  const line = createLine(concurrency.limit, after, options.factors)
  const control = createControlQuestion({ endpoint, client, timeout, clock, after })
  const networks = createNetworkOutcomes(clock)
  const asking = { ...options, client, after, control, networks }
  const askBackend = createAskBackend(asking)
  /** When an answer last showed that the backend works. */
  let provenAt = Number.NEGATIVE_INFINITY

  const unavailable = (reason: UnavailableReason): Outcome => ({ kind: 'unavailable', backend, reason })
  const tooMany: Outcome = { kind: 'refused', backend, reason: 'too-many-questions' }
  /** In vain, while others are answered. Who plays keeps the failure, which counts for them alone. */
  const inVain = ({ occasion }: Question, reason: UnavailableReason): Outcome =>
    occasion === 'question' ? tooMany : { kind: 'unavailable', backend, reason, forOne: true }
  const isFailure = (status: number): boolean => unavailableStatus.has(status)

  /** A deny without a credential proves nothing: a script may send it while its database hangs. */
  const proves = ({ kind }: Outcome, { credential }: Question): boolean =>
    kind === 'allow' || (kind === 'deny' && credential)

  const succeeded = (): void => {
    if (breaker.state().kind !== 'closed') concurrency.restart()
    breaker.succeeded()
  }

  /** @param isBusy the backend answers others, so that a timeout is none of an outage */
  const learn = (asked: Asked, question: Question, sentAt: number, isBusy: boolean) => {
    const { outcome, isAlive, isEvidence } = asked
    const { network, client: address } = groupsOf(question.subrequest.address)
    if (outcome.kind === 'allow' || outcome.kind === 'deny') {
      concurrency.answered()
      line.advance()
      if (!proves(outcome, question)) return breaker.undecided()
      networks.note(network, true)
      return succeeded()
    }
    if (outcome.kind === 'unavailable' && notTheBackends.has(outcome.reason)) return
    if (!isEvidence) return breaker.undecided()
    networks.note(network, false)
    if (outcome.kind === 'refused') return breaker.undecided()
    if (outcome.reason === 'status') return succeeded()
    if (outcome.reason === 'timeout' && !isAlive) concurrency.timedOut(sentAt)
    // What one network may have caused counts as the failure of one client.
    if (!isBusy) breaker.failed({ network, client: isAlive ? network : address })
  }

  const ask: GuardedAsk = async (question, budget, giveUp) => {
    const groups = groupsOf(question.subrequest.address)
    if (!breaker.admits()) return unavailable('breaker')
    const patience = budget * PATIENCE
    const answersOthers = (): boolean => provenAt >= clock() - patience
    const began = clock()
    const entered = line.enter(applicantOf(question, groups), patience)
    const admission = entered instanceof Promise ? await entered : entered
    const left = budget - (clock() - began)
    if (admission.kind === 'excess') return tooMany
    if (admission.kind === 'none') {
      const isAlive = answersOthers() || (admission.waited && (await control.isAnswered(left, isFailure)))
      return isAlive ? inVain(question, 'overload') : unavailable('overload')
    }
    if (giveUp?.aborted) {
      admission.release()
      return unavailable('timeout')
    }
    const sentAt = clock()
    const asked = await askBackend(question, groups, timeLeft(left, patience), (last) => {
      // A late answer is a sign of life, too.
      if (proves(last, question)) provenAt = clock()
      admission.release()
    })
    const { outcome, isAlive } = asked
    const isTimeout = outcome.kind === 'unavailable' && outcome.reason === 'timeout'
    const isBusy = isTimeout && answersOthers()
    learn(asked, question, sentAt, isBusy)
    return isBusy || (isTimeout && admission.waited && isAlive) ? inVain(question, 'timeout') : outcome
  }

  return {
    name: backend,
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
