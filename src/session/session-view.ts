import type { Session } from './session.ts'

/** A session as the API shows it. Times are ISO 8601 in UTC. It holds no query and no path credential. */
export interface SessionView {
  /** The session's id. */
  readonly session: string
  /** Empty when the backend named nobody. */
  readonly user: string
  /** What CHANNEL_PATTERN found, else the path that opened the session. */
  readonly channel: string
  readonly address: string
  readonly origin: string
  readonly path: string
  readonly userAgent: string
  readonly playbackId: string
  /** Let in by the default action, not by a backend. */
  readonly provisional: boolean
  readonly start: string
  readonly lastRequest: string
  /** Requests that reached the gate. Where nginx's cache is on, nginx answers others itself. */
  readonly requests: number
  /** From then on the next request starts a re-check; null = never. */
  readonly recheck: string | null
  /** Why the last re-check got no answer; null when it got one. */
  readonly unavailable: string | null
  /** 1, and one more for each time that it was resumed. */
  readonly part: number
  /** How it came into this process: adopted from an earlier one, or resumed after a silence. */
  readonly came: 'opened' | 'adopted' | 'resumed'
  /** How many plays its user has now; null where nothing limits them. */
  readonly plays: number | null
  /** How many they may have. */
  readonly limit: number | null
  /** The name of the gate that has it; only where gates share a store. */
  readonly gate?: string
}

/** Turns a time of the monotonic clock into ISO 8601. */
export type ToIso = (monotonic: number) => string

/** Milliseconds by which the two clocks may drift apart; beyond that the wall clock has been set. */
const DRIFT = 1_000

/**
 * Builds the conversion. The offset between the clocks is kept, so one moment always gives the same text,
 * until the wall clock is set.
 * @param clock monotonic milliseconds
 * @param wallClock milliseconds since 1970
 */
export function createToIso(clock: () => number, wallClock: () => number): ToIso {
  let apart = wallClock() - clock()
  return (monotonic) => {
    const now = wallClock() - clock()
    if (Math.abs(now - apart) > DRIFT) apart = now
    return new Date(apart + monotonic).toISOString()
  }
}

/** How many plays the user of a session has, and may have; null where nothing limits them. */
type Counted = Pick<SessionView, 'plays' | 'limit'>

const UNLIMITED: Counted = { plays: null, limit: null }
const OPENED: Pick<SessionView, 'part' | 'came'> = { part: 1, came: 'opened' }

/**
 * @param standing what the store says of it, if there is one
 * @param counted what the limit says of its user
 */
export function viewOf(
  session: Session,
  toIso: ToIso,
  standing = OPENED,
  counted: Counted = UNLIMITED,
): SessionView {
  const { id, userId: user, provisional } = session
  const { shownChannel: channel, shownPath: path } = session.scope
  const { requests, failure, dueAt, profile } = session
  const { origin, userAgent, playbackId } = profile
  return {
    session: id,
    user,
    channel,
    address: session.address,
    origin,
    path,
    userAgent,
    playbackId,
    provisional,
    start: toIso(session.openedAt),
    lastRequest: toIso(session.lastSeen),
    requests,
    recheck: dueAt === Number.POSITIVE_INFINITY ? null : toIso(dueAt),
    unavailable: failure?.reason ?? null,
    part: standing.part,
    came: standing.came,
    plays: counted.plays,
    limit: counted.limit,
  }
}
