import type { Session, SessionEnd } from '../session/session.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'

/** The first event of a gate. Sessions of earlier starts of this gate are over. */
export interface GateStarted {
  readonly event: 'gate-started'
  readonly start: string
}

/** The fields of a session. No query, so no token. */
type Described = Pick<
  SessionView,
  'session' | 'user' | 'channel' | 'address' | 'origin' | 'path' | 'userAgent' | 'provisional' | 'start'
>

/** A session began. */
export interface SessionStarted extends Described {
  readonly event: 'start'
}

/**
 * A session ended. It repeats the fields of the start, so a receiver that missed the start misses nothing.
 */
export interface SessionEnded extends Described, Pick<SessionView, 'lastRequest' | 'requests'> {
  readonly event: 'end'
  /** ISO 8601 in UTC. */
  readonly end: string
  readonly reason: SessionEnd
}

/** An event as the receiver gets it. */
export type SessionEvent = GateStarted | SessionStarted | SessionEnded

/** The body of one post. */
export interface EventBatch {
  /** Random. It stays the same from the start of a gate to its end. */
  readonly gate: string
  readonly sent: string
  readonly events: readonly SessionEvent[]
}

/** The event of a session that began. */
export function startOf(session: Session, toIso: ToIso): SessionStarted {
  return { event: 'start', ...describe(viewOf(session, toIso)) }
}

/** The event of a session that ended. @param now milliseconds of the monotonic clock at its end */
export function endOf(session: Session, reason: SessionEnd, now: number, toIso: ToIso): SessionEnded {
  const view = viewOf(session, toIso)
  const { lastRequest, requests } = view
  return { event: 'end', ...describe(view), end: toIso(now), lastRequest, requests, reason }
}

function describe(view: SessionView): Described {
  const { session, user, channel, address, origin, path, userAgent, provisional, start } = view
  return { session, user, channel, address, origin, path, userAgent, provisional, start }
}
