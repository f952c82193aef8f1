import { addressGroupsOf } from '../address-group.ts'
import type { Question } from '../question.ts'
import { notTheBackends, type Outcome, type RefusedReason, type UnavailableReason } from '../verdict.ts'
import type { AskBackend, Asked } from './ask-backend.ts'
import type { Breaker } from './breaker.ts'
import type { Concurrency } from './concurrency.ts'
import type { Control } from './control.ts'
import { timeLeft } from './deadline.ts'
import type { Applicant, Line } from './line.ts'
import type { Witnesses } from './witnesses.ts'

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

/** What a waiting question costs beside its texts, in bytes: about. */
const OVERHEAD = 512

/** So many other networks must have met failures too, where a control question was answered. */
const SHARED = 2

/** Who asks, as the line knows them. */
export function applicantOf({ subrequest, occasion, knownViewer }: Question): Applicant {
  const { address, origin, path, query, userAgent, playbackId } = subrequest
  return {
    groups: addressGroupsOf(address),
    occasion,
    knownViewer,
    bytes: OVERHEAD + origin.length + path.length + query.length + userAgent.length + playbackId.length,
  }
}

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
