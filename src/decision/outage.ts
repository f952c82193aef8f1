import type { Session } from '../session/session.ts'
import type { Outcome } from '../verdict.ts'

/** Knows when the backend began to answer again, so that what was decided without it can be asked about. Monotonic milliseconds. */
export interface Outage {
  note(outcome: Outcome, now: number): void
  /** Whether this session's verdict has lost its worth: in an outage that lasts still, or since nobody has an answer about it alone. */
  hasOutlasted(session: Session, now: number): boolean
  /** Whether the last re-check of this session failed in an outage that has ended. */
  isOverFor(session: Session, now: number): boolean
}

/** After an outage the sessions that lived through it are re-checked within this many milliseconds, spread evenly. */
const SPREAD = 3000

export function createOutage(): Outage {
  let isAway = false
  let recoveredAt = Number.NEGATIVE_INFINITY
  return {
    note(outcome, now) {
      if (outcome.kind === 'refused') return
      const unavailable = outcome.kind === 'unavailable'
      // While one spread is under way another does not begin: single failures would put it off for ever.
      if (isAway && !unavailable && now - recoveredAt > SPREAD) recoveredAt = now
      isAway = unavailable
    },
    hasOutlasted({ failure }, now) {
      if (failure === undefined) return false
      const lastsStill = isAway && failure.at > recoveredAt && now >= failure.holdsUntil
      // Others may be answered: nobody told about this one, though it was asked about after its time.
      return lastsStill || failure.at >= failure.holdsUntil
    },
    isOverFor(session, now) {
      const { failure } = session
      if (failure === undefined) return false
      // A single failure inside a spread is no outage: it waits for the next re-check, but not past the time that the verdict holds.
      if (failure.at > recoveredAt) return !isAway && now >= failure.holdsUntil
      return now >= recoveredAt + placeOf(session) * SPREAD
    },
  }
}

/** 0 to 1, the same for the life of a session: its id is random. */
function placeOf(session: Session): number {
  return ((session.id.charCodeAt(0) * 64 + session.id.charCodeAt(1)) % 61) / 61
}
