import type { Session, SessionEnd } from '../session/session.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'

/** The first event of a gate: sessions that another start of it has told of are over. */
export interface GateStarted {
  readonly event: 'gate-started'
  readonly start: string
}

/** What is told of a session. Holds no query, so no token. */
type Told = Pick<
  SessionView,
  'session' | 'user' | 'channel' | 'address' | 'origin' | 'path' | 'userAgent' | 'provisional' | 'start'
>

export interface SessionStarted extends Told {
  readonly event: 'start'
}

/** The same once more, and what became of it: whoever missed the start misses nothing. */
export interface SessionEnded extends Told, Pick<SessionView, 'lastRequest' | 'requests'> {
  readonly event: 'end'
  /** ISO 8601 in UTC. */
  readonly end: string
  readonly reason: SessionEnd
}

export type SessionEvent = GateStarted | SessionStarted | SessionEnded

/** One post. */
export interface EventBatch {
  /** Random, the same from a gate's start to its end. */
  readonly gate: string
  readonly sent: string
  readonly events: readonly SessionEvent[]
}

export function startOf(session: Session, toIso: ToIso): SessionStarted {
  return { event: 'start', ...describe(viewOf(session, toIso)) }
}

/** @param now when it ended, in milliseconds of the monotonic clock */
export function endOf(session: Session, reason: SessionEnd, now: number, toIso: ToIso): SessionEnded {
  const view = viewOf(session, toIso)
  const { lastRequest, requests } = view
  return { event: 'end', ...describe(view), end: toIso(now), lastRequest, requests, reason }
}

function describe(view: SessionView): Told {
  const { session, user, channel, address, origin, path, userAgent, provisional, start } = view
  return { session, user, channel, address, origin, path, userAgent, provisional, start }
}
