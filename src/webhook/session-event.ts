import type { SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'

/** The first event of a gate. */
interface GateStarted {
  readonly event: 'gate-started'
  readonly start: string
  /**
   * Sessions of earlier starts of this gate go on, and this gate tells their ends. False: they are over, and
   * nobody tells that.
   */
  readonly sessionsGoOn: boolean
}

/** The fields of a session. No query, so no token. */
type Described = Pick<
  SessionView,
  | 'session'
  | 'part'
  | 'user'
  | 'channel'
  | 'address'
  | 'origin'
  | 'path'
  | 'userAgent'
  | 'provisional'
  | 'start'
>

/** A session began, or was resumed: then `start` is that time. */
export interface SessionStarted extends Described {
  readonly event: 'start'
}

/** A session plays. Of several the one with the latest `lastRequest` counts. */
interface SessionInterim extends Described, Pick<SessionView, 'lastRequest' | 'requests'> {
  readonly event: 'interim'
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
export type SessionEvent = GateStarted | SessionStarted | SessionInterim | SessionEnded

/** The body of one post. */
export interface EventBatch {
  /** Random. It stays the same from the start of a gate to its end. */
  readonly gate: string
  readonly sent: string
  readonly events: readonly SessionEvent[]
}

/** The event of a session that began. */
export function startOf(view: SessionView): SessionStarted {
  return { event: 'start', ...describe(view) }
}

/** The event of a session that plays. */
export function interimOf(view: SessionView): SessionInterim {
  const { lastRequest, requests } = view
  return { event: 'interim', ...describe(view), lastRequest, requests }
}

/** The event of a session that ended. @param end ISO 8601 in UTC */
export function endOf(view: SessionView, reason: SessionEnd, end: string): SessionEnded {
  const { lastRequest, requests } = view
  return { event: 'end', ...describe(view), end, lastRequest, requests, reason }
}

function describe(view: SessionView): Described {
  const { session, part, user, channel, address, origin, path, userAgent, provisional, start } = view
  return { session, part, user, channel, address, origin, path, userAgent, provisional, start }
}
