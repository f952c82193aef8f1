import type { Health } from './backend-health.ts'

/** A backend's state for people. `seconds`: for how long it has been unavailable. */
export type DescribedHealth =
  | { readonly state: 'unasked' | 'answers' }
  | { readonly state: 'unavailable'; readonly reason: string; readonly seconds: number }

/** @param now monotonic milliseconds */
export function describeHealth(health: Health, now: number): DescribedHealth {
  if (health.state !== 'unavailable') return health
  return { state: health.state, reason: health.reason, seconds: Math.round((now - health.since) / 1000) }
}
