import type { Session } from '../session/session.ts'
import type { Grant, UnavailableReason } from '../verdict.ts'

/** How long verdicts count, in milliseconds. */
export interface Lifetimes {
  /** ALLOW_TTL: after this a playing session is re-checked; `session` = never. */
  readonly allow: number | 'session'
  /** DENY_TTL: how long a deny is repeated. */
  readonly deny: number
  /** STALE_TTL: how much longer an allow counts while the backend is unavailable. */
  readonly stale: number
  /** DEFAULT_TTL: how long a verdict of the default action is repeated. */
  readonly default: number
  /**
   * SESSION_RESUME: how long after its last request a silent session may be resumed; 0 = never, `backend` =
   * as X-AuthDuration says.
   */
  readonly resume: number | 'backend'
}

/** How much longer a deny counts while the backend is unavailable; milliseconds. */
export const STALE_DENY = 60_000

/** The longest `X-AuthDuration` that counts in full; milliseconds. */
const MAX_AUTH_DURATION = 24 * 3_600_000
/** How long a session may be resumed whose backend says no time; milliseconds. */
const RESUME_WITHOUT_DURATION = 15 * 60_000

/** Sets how long sessions and denies count. `now` is monotonic milliseconds. */
export interface Terms {
  /** A backend allowed a new session: sets its user and when its first re-check is due. */
  begin(session: Session, grant: Grant, backend: string, now: number): void
  /** A re-check allowed the session: sets its user and when the next one is due. */
  renew(session: Session, grant: Grant, backend: string, now: number): void
  /** The backend gave no answer about the session: notes the failure and sets when it is asked again. */
  postpone(session: Session, reason: UnavailableReason, now: number): void
  /** How long after its last request a session with this grant may be resumed, in milliseconds. */
  resumeFor(grant: Grant): number
  /** How long a deny is fresh, in milliseconds. */
  denyFor(): number
}

/** How much longer or shorter chance may make a time. */
const JITTER = 0.1

/** Sessions with longer terms than this are spread over this time only; milliseconds. */
const MAX_SPREAD = 10 * 60_000

/**
 * A session's first term has its usual length, ±10 %: a token that dies soon is not asked about any earlier.
 * From then on a session is due at moments of its own: one in each term, at its random, constant place. So
 * sessions that come together, in a kick-off or after an outage, are re-checked together once and no more.
 * For that the second term is shorter or longer, by -90 to +10 %, or -9 to +1 minutes where that is less.
 *
 * @param random 0 to 1, for jitter
 * @param onBadDuration called with an `X-AuthDuration` that is no positive whole number, which is then
 * ignored
 */
export function createTerms(
  lifetimes: Lifetimes,
  random: () => number,
  onBadDuration: (backend: string, sent: string) => void,
): Terms {
  const jittered = (duration: number): number => Math.round(duration * (1 - JITTER + 2 * JITTER * random()))
  const { allow } = lifetimes

  /** How long the allow counts, and the most that jitter may make of that. */
  const termOf = (sent: string | undefined, backend: string): { length: number; most: number } => {
    if (allow === 'session') return { length: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY }
    const length = sent === undefined ? undefined : readAuthDuration(sent)
    if (length !== undefined) return { length, most: MAX_AUTH_DURATION }
    if (sent !== undefined) onBadDuration(backend, sent)
    return { length: allow, most: Number.POSITIVE_INFINITY }
  }

  const note = (session: Session, userId = ''): void => {
    session.userId = userId
    session.failure = undefined
  }

  /** Used at the first failure only: then `dueAt` is still the time until which the last allow counted. */
  const holdsUntil = (session: Session): number =>
    session.provisional ? Number.POSITIVE_INFINITY : session.dueAt + lifetimes.stale

  return {
    begin(session, { authDuration, userId }, backend, now) {
      note(session, userId)
      const { length, most } = termOf(authDuration, backend)
      session.dueAt = now + Math.min(jittered(length), most)
    },
    renew(session, { authDuration, userId }, backend, now) {
      note(session, userId)
      const { length, most } = termOf(authDuration, backend)
      const every = Math.min(length, MAX_SPREAD)
      const latest = now + Math.min(length + Math.round(every * JITTER), most)
      session.dueAt = Number.isFinite(latest) ? ownMoment(session, every, latest) : latest
    },
    postpone(session, reason, now) {
      const interval = jittered(session.provisional || allow === 'session' ? lifetimes.default : allow)
      session.failure = { reason, at: now, holdsUntil: session.failure?.holdsUntil ?? holdsUntil(session) }
      session.dueAt = now + interval
    },
    resumeFor({ authDuration }) {
      if (lifetimes.resume !== 'backend') return lifetimes.resume
      const sent = authDuration === undefined ? undefined : readAuthDuration(authDuration)
      return Math.min(sent ?? RESUME_WITHOUT_DURATION, MAX_AUTH_DURATION)
    },
    denyFor: () => jittered(lifetimes.deny),
  }
}

/** The latest moment of the session's own until `latest`. It has one in `every` milliseconds. */
function ownMoment(session: Session, every: number, latest: number): number {
  return latest - ((latest - Math.floor(session.place * every)) % every)
}

/** `X-AuthDuration` in milliseconds: whole positive seconds; undefined when it is anything else. */
function readAuthDuration(sent: string): number | undefined {
  const seconds = /^\d+$/.test(sent) ? Number(sent) : 0
  return seconds === 0 ? undefined : seconds * 1000
}
