import type { Log } from '../log/log.ts'
import type { UnavailableReason } from '../verdict.ts'

/**
 * Why events are not delivered: the status of the receiver, the reason why there was none, or more events
 * than it takes.
 */
type Trouble =
  | { readonly status: number }
  | { readonly reason: UnavailableReason }
  | { readonly reason: 'overflow' }

/** Observes the delivery. */
interface DeliveryHealth {
  /**
   * A post failed, or an event was dropped.
   * @param waiting events that wait
   * @param dropped events dropped since the start
   */
  undelivered(why: Trouble, waiting: number, dropped: number): void
  deliveredAgain(dropped: number): void
}

/** What the lines about the delivery hold. */
interface DeliveryHealthOptions {
  readonly receiver: string
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Logs one line at each change of state. */
export function createDeliveryHealth({ receiver, log, clock }: DeliveryHealthOptions): DeliveryHealth {
  let trouble: { readonly since: number; readonly dropped: number } | undefined

  return {
    undelivered(why, waiting, dropped) {
      if (trouble !== undefined) return
      trouble = { since: clock(), dropped }
      log.warn('events undelivered', { receiver, ...why, waiting })
    },
    deliveredAgain(dropped) {
      if (trouble === undefined) return
      const seconds = Math.round((clock() - trouble.since) / 100) / 10
      log.warn('events delivered again', { receiver, seconds, dropped: dropped - trouble.dropped })
      trouble = undefined
    },
  }
}
