import type { Session } from '../session/session.ts'
import type { SessionEnd } from '../session/session-table.ts'
import { type ToIso, viewOf } from '../session/session-view.ts'

/** The first event of a gate: sessions that another start of it has told of are over. */
export interface GateStarted {
  readonly event: 'gate-started'
  readonly start: string
}

/** What is told of a session at its start; times are ISO 8601 in UTC. Holds no query, so no token. */
export interface SessionStarted {
  readonly event: 'start'
  readonly session: string
  /** Empty when the backend named nobody. */
  readonly user: string
  /** What CHANNEL_PATTERN found, else the path that opened the session. */
  readonly channel: string
  readonly address: string
  readonly origin: string
  readonly path: string
  readonly userAgent: string
  /** Let in by the default action, not by a backend. */
  readonly provisional: boolean
  readonly start: string
}

/** The same once more, and what became of it: whoever missed the start misses nothing. */
export interface SessionEnded extends Omit<SessionStarted, 'event'> {
  readonly event: 'end'
  readonly end: string
  readonly lastRequest: string
  /** Those that reached the gate. */
  readonly requests: number
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
  return { event: 'start', ...describe(session, toIso) }
}

/** @param now when it ended, in milliseconds of the monotonic clock */
export function endOf(session: Session, reason: SessionEnd, now: number, toIso: ToIso): SessionEnded {
  const { lastRequest, requests } = viewOf(session, toIso)
  return { event: 'end', ...describe(session, toIso), end: toIso(now), lastRequest, requests, reason }
}

function describe(session: Session, toIso: ToIso): Omit<SessionStarted, 'event'> {
  const view = viewOf(session, toIso)
  const { user, channel, address, origin, path, userAgent, provisional, start } = view
  return { session: view.session, user, channel, address, origin, path, userAgent, provisional, start }
}
