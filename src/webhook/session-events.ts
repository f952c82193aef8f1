import { isPlaylist } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import { createDelivery, type DeliveryCounts, type DeliveryOptions } from './delivery.ts'
import { endOf, startOf } from './session-event.ts'

export interface SessionEventsOptions extends DeliveryOptions {
  /** Sessions that last shorter are not told of; milliseconds, 0 = all are. */
  readonly minTime: number
}

/** Tells a receiver of sessions that start and end. Telling costs a verdict nothing: it only puts an event in a queue. */
export interface SessionEvents {
  /** Tells that this gate has started. */
  start(): void
  opened(session: Session): void
  ended(session: Session, why: SessionEnd): void
  counts(): DeliveryCounts
  /** Sends what waits, within a short time; what is left then is lost, and the log says so. */
  stop(): Promise<void>
}

/** Milliseconds between looks for sessions that have reached the minimal time, at least. */
const LOOK_EVERY = 1_000

/**
 * Posts starts and ends of sessions. With a minimal time a start waits: it is told of when a request shows that the session has lasted
 * that long, and the end of a session whose start was never told of is not told of either.
 */
export function createSessionEvents(options: SessionEventsOptions): SessionEvents {
  const { minTime, clock, after, toIso } = options
  const delivery = createDelivery(options)
  /**
   * Sessions that may yet turn out too short, each with the time to look at it again, soonest first: the delay is the same for all.
   * None of them has ended, so the bounds of the session tables are the bound of this.
   */
  const young = new Map<Session, number>()
  let stopLooking: (() => void) | undefined

  const look = (): void => {
    stopLooking = undefined
    const now = clock()
    for (const [session, at] of young) {
      if (at > now) {
        stopLooking = after(Math.max(at - now, LOOK_EVERY), look)
        return
      }
      young.delete(session)
      if (lasted(session, now) >= minTime) delivery.add(startOf(session, toIso))
      else young.set(session, now + minTime)
    }
  }

  return {
    start: delivery.start,
    opened(session) {
      if (minTime === 0) {
        delivery.add(startOf(session, toIso))
        return
      }
      young.set(session, clock() + minTime)
      stopLooking ??= after(Math.max(minTime, LOOK_EVERY), look)
    },
    ended(session, why) {
      const now = clock()
      if (young.delete(session)) {
        if (lasted(session, now) < minTime) return
        delivery.add(startOf(session, toIso))
      }
      delivery.add(endOf(session, why, now, toIso))
    },
    counts: delivery.counts,
    stop() {
      stopLooking?.()
      young.clear()
      return delivery.stop()
    },
  }
}

/**
 * Milliseconds from a session's start to its last request: a viewer who has zapped on is silent until SESSION_IDLE, and that silence is no
 * watching. What is asked for once and is no playlist, a film or an MPEG-TS stream, goes on without a word to the gate: it lasts.
 */
function lasted({ requests, path, lastSeen, openedAt }: Session, now: number): number {
  const until = requests > 1 || isPlaylist(path) ? lastSeen : now
  return until - openedAt
}
