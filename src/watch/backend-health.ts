import type { Outcome, UnavailableReason } from '../verdict.ts'
import type { Log } from './log.ts'

/** What the last question to a backend told. */
export type Health =
  | { readonly state: 'unasked' }
  | { readonly state: 'answers' }
  | { readonly state: 'unavailable'; readonly reason: UnavailableReason; readonly since: number }

export interface BackendHealth {
  note(outcome: Outcome): void
  current(): Health
}

/** Watches one backend and writes one line per change of state. `clock` gives monotonic milliseconds. */
export function createBackendHealth(backend: string, log: Log, clock: () => number): BackendHealth {
  let health: Health = { state: 'unasked' }
  return {
    note(outcome) {
      if (outcome.kind === 'unavailable') {
        if (health.state !== 'unavailable') {
          log.warn('backend unavailable', { backend, reason: outcome.reason })
          health = { state: 'unavailable', reason: outcome.reason, since: clock() }
        }
        return
      }
      if (health.state === 'unavailable') {
        log.warn('backend available again', {
          backend,
          seconds: Math.round((clock() - health.since) / 100) / 10,
        })
      }
      if (health.state !== 'answers') health = { state: 'answers' }
    },
    current: () => health,
  }
}
