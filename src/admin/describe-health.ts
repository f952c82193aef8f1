import type { Health } from '../backend/backend-health.ts'
import { sentenceOf } from '../reason-sentences.ts'

/**
 * The state of a backend, for people. `why` is the reason as a clause. `seconds` is the time since the
 * backend became unavailable.
 */
export type DescribedHealth =
  | { readonly state: 'unasked' | 'answers' }
  | {
      readonly state: 'unavailable'
      readonly reason: string
      readonly why: string
      readonly seconds: number
    }

/** The state of a backend with its reason in words. @param now monotonic milliseconds */
export function describeHealth(health: Health, now: number): DescribedHealth {
  if (health.state !== 'unavailable') return health
  const { state, reason, since } = health
  return {
    state,
    reason,
    why: sentenceOf(`unavailable-${reason}`),
    seconds: Math.round((now - since) / 1000),
  }
}
