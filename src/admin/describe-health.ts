import type { Health } from '../backend/backend-health.ts'
import { sentenceOf } from '../reason-sentences.ts'

/** A backend's state for people. `why`: the reason as a clause. `seconds`: for how long it has been unavailable. */
export type DescribedHealth =
  | { readonly state: 'unasked' | 'answers' }
  | {
      readonly state: 'unavailable'
      readonly reason: string
      readonly why: string
      readonly seconds: number
    }

/** @param now monotonic milliseconds */
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
