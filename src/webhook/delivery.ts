import type { Log } from '../log/log.ts'
import type { ToIso } from '../session/session-view.ts'
import { createDeliveryHealth } from './delivery-health.ts'
import { createFifo } from './fifo.ts'
import type { Post, Posted } from './post.ts'
import type { EventBatch, SessionEvent } from './session-event.ts'

/** Where events go, and how. */
export interface DeliveryOptions {
  /** The random id of this gate, new at each start. */
  readonly gate: string
  /** Where the events go, for the log. */
  readonly receiver: string
  readonly post: Post
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  /** Calls `act` after so many milliseconds. Returns a function that cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** A number from 0 to 1, for jitter. */
  readonly random: () => number
  readonly log: Log
}

/** Numbers of events since the start; `waiting`: now. */
export interface DeliveryCounts {
  readonly delivered: number
  /** Not delivered: evicted by newer events, refused by the receiver, or left at the end. */
  readonly dropped: number
  readonly waiting: number
}

/** A queue of events for one receiver. */
interface Delivery {
  /** Adds the event that this gate has started. @param sessionsGoOn those of earlier starts */
  start(sessionsGoOn: boolean): void
  /** Adds an event to the queue. Never throws, never waits. A full queue drops its oldest event. */
  add(event: SessionEvent): void
  counts(): DeliveryCounts
  /** Sends what waits, within 2 s. What is left then is lost, and the log says so. */
  stop(): Promise<void>
}

/** The most events in one post. */
export const MAX_BATCH = 500
/** The most events that wait, those in a running post included. */
export const MAX_WAITING = 10_000
/** Milliseconds that an event waits for others. */
const BATCH_EVERY = 1_000
/** Milliseconds in which the receiver must answer one post. */
export const DEADLINE = 5_000
/**
 * Milliseconds between attempts: doubled from the first to the last, then shortened at random by up to a
 * half.
 */
const FIRST_RETRY = 1_000
const LAST_RETRY = 60_000
/** Milliseconds for the events that still wait when the gate stops. */
const GRACE = 2_000

/**
 * Delivers batches in order, one post at a time. Each post is repeated until the receiver accepts or refuses
 * it.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { gate, receiver, post, clock, toIso, after, random, log } = options
  const health = createDeliveryHealth({ receiver, log, clock })
  const queue = createFifo<SessionEvent>()
  /** Events taken out of the queue that are not delivered yet. */
  let batch: readonly SessionEvent[] = []
  /** Failed attempts at this batch. */
  let failures = 0
  let posting: { readonly ended: Promise<void>; giveUp(): void } | undefined
  let cancel: (() => void) | undefined
  let stopped = false
  let delivered = 0
  let dropped = 0

  const waiting = (): number => batch.length + queue.size()

  const schedule = (milliseconds: number): void => {
    cancel?.()
    cancel = after(milliseconds, () => {
      cancel = undefined
      void send()
    })
  }

  /** Makes one attempt. Resolves when it has ended. */
  const send = async (): Promise<void> => {
    if (batch.length === 0) batch = queue.take(MAX_BATCH)
    const body: EventBatch = { gate, sent: toIso(clock()), events: batch }
    const abort = new AbortController()
    const giveUp = (): void => abort.abort()
    const stopTimer = after(DEADLINE, giveUp)
    const ended = post(JSON.stringify(body), abort.signal).then((posted) => {
      stopTimer()
      posting = undefined
      settle(posted)
    })
    posting = { ended, giveUp }
    await ended
  }

  const settle = (posted: Posted): void => {
    const status = posted.kind === 'answered' ? posted.status : 0
    const isDelivered = status >= 200 && status < 300
    if (!isDelivered && !isRefused(status)) {
      failures++
      report(posted)
      if (!stopped) schedule(retryAfter(failures, random))
      return
    }
    if (isDelivered) delivered += batch.length
    else {
      report(posted)
      dropped += batch.length
    }
    batch = []
    failures = 0
    // Not while so many wait that a burst would soon drop events again.
    if (isDelivered && waiting() <= MAX_WAITING / 2) health.deliveredAgain(dropped)
    if (!stopped && waiting() > 0) schedule(isDelivered && queue.size() >= MAX_BATCH ? 0 : BATCH_EVERY)
  }

  const report = (posted: Posted): void => {
    const why = posted.kind === 'answered' ? { status: posted.status } : { reason: posted.reason }
    health.undelivered(why, waiting(), dropped)
  }

  const add = (event: SessionEvent): void => {
    if (waiting() >= MAX_WAITING) {
      health.undelivered({ reason: 'overflow' }, waiting(), dropped)
      dropped += queue.take(1).length
    }
    queue.put(event)
    if (stopped || posting !== undefined || failures > 0) return
    if (cancel === undefined) schedule(BATCH_EVERY)
    if (queue.size() === MAX_BATCH) schedule(0)
  }

  return {
    start: (sessionsGoOn) => add({ event: 'gate-started', start: toIso(clock()), sessionsGoOn }),
    add,
    counts: () => ({ delivered, dropped, waiting: waiting() }),
    async stop() {
      stopped = true
      cancel?.()
      failures = 0
      let isOver = false
      const stopTimer = after(GRACE, () => {
        isOver = true
        posting?.giveUp()
      })
      await posting?.ended
      while (!isOver && failures === 0 && waiting() > 0) await send()
      stopTimer()
      const events = waiting()
      if (events === 0) return
      batch = []
      queue.take(events)
      dropped += events
      log.warn('events lost', { receiver, events })
    },
  }
}

/**
 * A 4xx answer, but 408 and 429: the receiver does not want these events, and would answer the same again.
 */
function isRefused(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

function retryAfter(failures: number, random: () => number): number {
  const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (failures - 1))
  return Math.round(longest * (1 - random() / 2))
}
