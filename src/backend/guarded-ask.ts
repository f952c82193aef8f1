import { addressGroupOf } from '../address-group.ts'
import type { Outcome, UnavailableReason } from '../verdict.ts'
import type { AskBackend } from './ask-backend.ts'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'
import { timeLeft } from './deadline.ts'

export interface GuardedAskOptions {
  readonly backend: string
  readonly ask: AskBackend
  readonly breaker: Breaker
  readonly bulkhead: Bulkhead
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** What of its time a question may spend waiting for a place: the rest must do for the answer. */
const WAITING_SHARE = 0.5

/** Asks only a backend that is thought to be alive and has room; tells the breaker what came of it. */
export function createGuardedAsk({ backend, ask, breaker, bulkhead, clock }: GuardedAskOptions): AskBackend {
  const without = (reason: UnavailableReason): Outcome => ({ kind: 'unavailable', backend, reason })

  return async (subrequest, sessionId, budget, giveUp) => {
    const isNeedless = (): boolean => giveUp?.aborted === true
    const group = addressGroupOf(subrequest.address)
    if (!breaker.admits(group)) return without('breaker')
    const began = clock()
    const release = await bulkhead.enter(budget * WAITING_SHARE)
    if (release === undefined) return without('overload')
    try {
      // Another backend decided while this question waited.
      if (isNeedless()) return without('timeout')
      const left = timeLeft(budget - (clock() - began), budget * (1 - WAITING_SHARE))
      const outcome = await ask(subrequest, sessionId, left, giveUp)
      if (outcome.kind !== 'unavailable' || outcome.reason === 'status') breaker.succeeded()
      else if (isTheBackends(outcome.reason) && !isNeedless()) breaker.failed(group)
      return outcome
    } finally {
      release()
    }
  }
}

/** Whether a failure is the backend's: our own fault says nothing about it. */
function isTheBackends(reason: UnavailableReason): boolean {
  return reason !== 'internal'
}
