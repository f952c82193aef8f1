import type { Log } from '../log/log.ts'
import type { UnavailableReason } from '../verdict.ts'

/** Why events do not get through: what the receiver answered, or that it did not, or that more come than it takes. */
export type Trouble =
  | { readonly status: number }
  | { readonly reason: UnavailableReason }
  | { readonly reason: 'overflow' }

export interface DeliveryHealth {
  /** @param waiting events, and `dropped` ones since the start */
  undelivered(why: Trouble, waiting: number, dropped: number): void
  deliveredAgain(dropped: number): void
}

export interface DeliveryHealthOptions {
  readonly receiver: string
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Writes one line per change of state. */
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
