import type { Session } from '../session/session.ts'
import { type Outcome, outageStatuses } from '../verdict.ts'

/** Tracks outages of the backend and when the last one ended. `now` is monotonic milliseconds. */
export interface Outage {
  /** Takes in the outcome of a question or a re-check. */
  note(outcome: Outcome, now: number): void
  /**
   * Whether the session's last allow counts no longer: its time is over (`failure.holdsUntil`), and either
   * the outage goes on, or a re-check failed after that time.
   */
  hasExpired(session: Session, now: number): boolean
  /** Whether the last re-check of this session failed in an outage that is over, so that it is due again. */
  isOverFor(session: Session, now: number): boolean
}

/** After an outage its sessions become due for a re-check, spread evenly over this many milliseconds. */
const SPREAD = 3000

export function createOutage(): Outage {
  let isAway = false
  let recoveredAt = Number.NEGATIVE_INFINITY
  return {
    note(outcome, now) {
      const { kind } = outcome
      if (kind === 'refused' || (kind === 'unavailable' && outcome.forOne)) return
      // A new viewer got it from a web server whose script may be dead: who plays is not asked about for it.
      if (kind === 'deny' && outageStatuses.has(outcome.status)) return
      const unavailable = kind === 'unavailable'
      // No new spread starts during a spread: single failures would postpone the re-checks for ever.
      if (isAway && !unavailable && now - recoveredAt > SPREAD) recoveredAt = now
      isAway = unavailable
    },
    hasExpired({ failure }, now) {
      if (failure === undefined) return false
      const inOutage = isAway && failure.at > recoveredAt && now >= failure.holdsUntil
      // The backend may answer others: this session's own re-check failed after its time was over.
      return inOutage || failure.at >= failure.holdsUntil
    },
    isOverFor(session, now) {
      const { failure } = session
      if (failure === undefined) return false
      // A single failure inside a spread is no outage: the session waits for its next re-check, but not
      // longer than its allow counts.
      if (failure.at > recoveredAt) return !isAway && now >= failure.holdsUntil
      return now >= recoveredAt + session.place * SPREAD
    },
  }
}
