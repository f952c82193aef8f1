import type { Log } from '../log/log.ts'
import { notTheBackends, type Outcome, outageStatuses, type UnavailableReason } from '../verdict.ts'

/** The state of a backend, from the outcomes of its last questions. `since` is monotonic milliseconds. */
export type Health =
  | { readonly state: 'unasked' }
  | { readonly state: 'answers' }
  | { readonly state: 'unavailable'; readonly reason: UnavailableReason; readonly since: number }

export interface BackendHealth {
  /** Takes in the outcome of a question. */
  note(outcome: Outcome): void
  current(): Health
}

/** How many unknown viewers the default action has allowed and denied since the start. */
export interface DefaultTotals {
  readonly letIn: number
  readonly refused: number
}

export interface BackendHealthOptions {
  readonly backend: string
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly byDefault: () => DefaultTotals
}

/** An unavailable backend is available again after this many milliseconds without a failure. */
const CALM = 1_000

/**
 * Tracks one backend and logs each change of state as a warning, since the default action decides in between.
 */
export function createBackendHealth({ backend, log, clock, byDefault }: BackendHealthOptions): BackendHealth {
  let health: Health = { state: 'unasked' }
  let failedAt = 0
  let before = byDefault()

  return {
    note(outcome) {
      // The breaker, overload, our own faults and refused questions say nothing about the backend.
      if (outcome.kind === 'refused') return
      if (outcome.kind === 'unavailable' && (outcome.forOne || notTheBackends.has(outcome.reason))) return
      // A new viewer's deny, as long as who plays meets an outage by this status.
      const isOutage = outcome.kind === 'deny' && outageStatuses.has(outcome.status)
      if (isOutage && health.state === 'unavailable') return
      const now = clock()
      if (outcome.kind === 'unavailable') {
        failedAt = now
        if (health.state === 'unavailable') return
        log.warn('backend unavailable', { backend, reason: outcome.reason })
        health = { state: 'unavailable', reason: outcome.reason, since: now }
        before = byDefault()
      } else if (health.state !== 'unavailable') {
        health = { state: 'answers' }
      } else if (now - failedAt >= CALM) {
        const { letIn, refused } = byDefault()
        log.warn('backend available again', {
          backend,
          seconds: Math.round((now - health.since) / 100) / 10,
          letInByDefault: letIn - before.letIn,
          refusedByDefault: refused - before.refused,
        })
        health = { state: 'answers' }
      }
    },
    current: () => health,
  }
}
