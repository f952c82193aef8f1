import { isPlaylist } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'
import { createDelivery, type DeliveryCounts, type DeliveryOptions } from './delivery.ts'
import { endOf, startOf } from './session-event.ts'

/** Where events go, and about which sessions. */
export interface SessionEventsOptions extends DeliveryOptions {
  /** Milliseconds that a session must last to be posted; 0 = all are posted. */
  readonly minTime: number
  readonly viewOf: (session: Session) => SessionView
}

/**
 * Notifies a receiver of sessions that start and end. A verdict does not wait for it: it only adds an event
 * to a queue.
 */
export interface SessionEvents {
  /** Adds the event that this gate has started. @param sessionsGoOn those of earlier starts */
  start(sessionsGoOn: boolean): void
  opened(session: Session): void
  ended(session: Session, why: SessionEnd): void
  counts(): DeliveryCounts
  /** Sends what waits, within 2 s. What is left then is lost, and the log says so. */
  stop(): Promise<void>
}

/** The least milliseconds between two checks for sessions that have reached the minimum time. */
const LOOK_EVERY = 1_000

/**
 * Posts starts and ends of sessions. With a minimum time a start is posted late: when a request shows that
 * the session has lasted so long. The end of a session is posted only if its start was, or if an earlier
 * process opened it: nobody knows then.
 */
export function createSessionEvents(options: SessionEventsOptions): SessionEvents {
  const { minTime, clock, after, toIso, viewOf } = options
  const delivery = createDelivery(options)
  /**
   * Sessions that may be too short, each with the time of its next check, soonest first: the delay is the
   * same for all. Ended sessions are removed, so the bound of the session tables bounds this map, too.
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
      if (lasted(session, now) >= minTime) delivery.add(startOf(viewOf(session)))
      else young.set(session, now + minTime)
    }
  }

  return {
    start: delivery.start,
    opened(session) {
      if (minTime === 0) {
        delivery.add(startOf(viewOf(session)))
        return
      }
      young.set(session, clock() + minTime)
      stopLooking ??= after(Math.max(minTime, LOOK_EVERY), look)
    },
    ended(session, why) {
      const now = clock()
      const wasYoung = young.delete(session)
      if (wasYoung) {
        if (lasted(session, now) < minTime) return
        delivery.add(startOf(viewOf(session)))
      }
      delivery.add(endOf(viewOf(session), why, toIso(now)))
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
 * How long a session was watched, in milliseconds.
 * Usually from its start to its last request: a viewer who has changed the channel stays silent until
 * SESSION_IDLE, and this silence does not count. A single request that is no playlist starts a film or an
 * MPEG-TS stream. Nothing follows it, so the time until `now` counts.
 */
function lasted({ requests, path, lastSeen, openedAt }: Session, now: number): number {
  const until = requests > 1 || isPlaylist(path) ? lastSeen : now
  return until - openedAt
}
