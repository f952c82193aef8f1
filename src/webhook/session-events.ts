import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'
import { createDelivery, type DeliveryCounts, type DeliveryOptions } from './delivery.ts'
import { endOf, interimOf, startOf } from './session-event.ts'

/** Where events go, and about which sessions. */
interface SessionEventsOptions extends DeliveryOptions {
  /** Milliseconds between two interim events of a session; 0 = none. */
  readonly interim: number
  readonly viewOf: (session: Session) => SessionView
}

/**
 * Notifies a receiver of sessions that start and end, as RADIUS accounting does. A verdict does not wait for
 * it: it only adds an event to a queue.
 */
export interface SessionEvents {
  /** Adds the event that this gate has started. @param sessionsGoOn those of earlier starts */
  start(sessionsGoOn: boolean): void
  opened(session: Session): void
  /** A session of the store is in the table again. One that was resumed is told as opened, too. */
  returned(session: Session, as: 'adopted' | 'resumed'): void
  ended(session: Session, why: SessionEnd): void
  counts(): DeliveryCounts
  /** Sends what waits, within 2 s. What is left then is lost, and the log says so. */
  stop(): Promise<void>
}

/** Milliseconds between two looks at who is due. */
const LOOK_EVERY = 1_000
/** How much earlier or later chance makes an interim, so that those of a kick-off are spread. */
const JITTER = 0.1

export function createSessionEvents(options: SessionEventsOptions): SessionEvents {
  const { interim, clock, after, random, viewOf, toIso } = options
  const delivery = createDelivery(options)
  /** Who plays, each with the look at which its next interim is due. */
  const playing = new Map<Session, number>()
  /** The same by that look. A session that has ended meanwhile is in it still, and passed over. */
  const due = new Map<number, Session[]>()
  let looked = lookOf(clock())
  let stopLooking: (() => void) | undefined

  const plan = (session: Session): void => {
    if (interim === 0) return
    const at = lookOf(clock() + interim * (1 - JITTER + 2 * JITTER * random()))
    playing.set(session, at)
    const others = due.get(at)
    if (others === undefined) due.set(at, [session])
    else others.push(session)
    stopLooking ??= after(LOOK_EVERY, look)
  }

  const look = (): void => {
    stopLooking = undefined
    for (const now = lookOf(clock()); looked < now; looked += 1) {
      const sessions = due.get(looked + 1) ?? []
      due.delete(looked + 1)
      for (const session of sessions) {
        if (playing.get(session) !== looked + 1) continue
        delivery.add(interimOf(viewOf(session)))
        plan(session)
      }
    }
    if (playing.size > 0) stopLooking ??= after(LOOK_EVERY, look)
  }

  return {
    start: delivery.start,
    opened(session) {
      delivery.add(startOf(viewOf(session)))
      plan(session)
    },
    returned(session, as) {
      if (as === 'adopted') plan(session)
    },
    ended(session, why) {
      playing.delete(session)
      delivery.add(endOf(viewOf(session), why, toIso(clock())))
    },
    counts: delivery.counts,
    stop() {
      stopLooking?.()
      playing.clear()
      return delivery.stop()
    },
  }
}

/** The look at which what is due at this moment is told. */
function lookOf(at: number): number {
  return Math.ceil(at / LOOK_EVERY)
}
