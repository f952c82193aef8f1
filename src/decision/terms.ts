import type { Session } from '../session/session.ts'
import type { Grant, UnavailableReason } from '../verdict.ts'

/** How long things count, in milliseconds. */
export interface Lifetimes {
  /** After this a playing session is re-checked; `session` = never. */
  readonly allow: number | 'session'
  readonly deny: number
  /** A known allow holds this much longer while the backend is unavailable. */
  readonly stale: number
  /** An answer of the default action counts this long. */
  readonly default: number
}

/** A known deny outlives its time by this much while the backend is unavailable; milliseconds. */
export const STALE_DENY = 60_000

/** A backend cannot grant more than this at once; milliseconds. */
const MAX_AUTH_DURATION = 24 * 3_600_000

export interface Terms {
  /** A backend allowed the session: sets when it is due again and how long it holds. */
  grant(session: Session, grant: Grant, backend: string, now: number): void
  /** The backend gave no answer about the session: sets when it is asked again. */
  postpone(session: Session, reason: UnavailableReason, now: number): void
  /** How long a deny is fresh, in milliseconds. */
  denyFor(): number
}

/**
 * Sets the times of sessions. `random` gives 0 to 1; `onBadDuration` is told of an `X-AuthDuration` that means nothing.
 */
export function createTerms(
  lifetimes: Lifetimes,
  random: () => number,
  onBadDuration: (backend: string, sent: string) => void,
): Terms {
  /** ±10 %, so that sessions opened by one kick-off are not all re-checked in one second. */
  const jittered = (duration: number): number => Math.round(duration * (0.9 + 0.2 * random()))

  const ttlOf = (sent: string | undefined, backend: string): number => {
    if (lifetimes.allow === 'session') return Number.POSITIVE_INFINITY
    if (sent === undefined) return jittered(lifetimes.allow)
    const duration = readAuthDuration(sent)
    if (duration === undefined) onBadDuration(backend, sent)
    return duration === undefined
      ? jittered(lifetimes.allow)
      : Math.min(jittered(duration), MAX_AUTH_DURATION)
  }

  /** Told at the first failure, when `dueAt` is still the time until which the last allow counted. */
  const holdsUntil = (session: Session): number =>
    session.provisional ? Number.POSITIVE_INFINITY : session.dueAt + lifetimes.stale

  return {
    grant(session, { authDuration, userId = '' }, backend, now) {
      session.userId = userId
      session.dueAt = now + ttlOf(authDuration, backend)
      session.failure = undefined
    },
    postpone(session, reason, now) {
      const { allow } = lifetimes
      const interval = jittered(session.provisional || allow === 'session' ? lifetimes.default : allow)
      session.failure = { reason, at: now, holdsUntil: session.failure?.holdsUntil ?? holdsUntil(session) }
      session.dueAt = now + interval
    },
    denyFor: () => jittered(lifetimes.deny),
  }
}

/** `X-AuthDuration` in milliseconds: whole positive seconds; undefined when it is anything else. */
function readAuthDuration(sent: string): number | undefined {
  const seconds = /^\d+$/.test(sent) ? Number(sent) : 0
  return seconds === 0 ? undefined : seconds * 1000
}
