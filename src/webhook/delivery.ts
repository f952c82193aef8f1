import type { Log } from '../log/log.ts'
import type { ToIso } from '../session/session-view.ts'
import { createDeliveryHealth } from './delivery-health.ts'
import { createFifo } from './fifo.ts'
import type { Post, Posted } from './post.ts'
import type { EventBatch, SessionEvent } from './session-event.ts'

export interface DeliveryOptions {
  /** Random, new at each start of the gate. */
  readonly gate: string
  /** For the log: where the events go. */
  readonly receiver: string
  readonly post: Post
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  /** Acts after so many milliseconds; what it returns calls that off. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly log: Log
}

export interface DeliveryCounts {
  readonly delivered: number
  /** Never delivered: pushed out by newer ones, refused by the receiver, or left at the end. */
  readonly dropped: number
  readonly waiting: number
}

export interface Delivery {
  /** Tells that this gate has started. */
  start(): void
  /** Never throws, never waits. */
  add(event: SessionEvent): void
  counts(): DeliveryCounts
  /** Sends what waits, within a short time. */
  stop(): Promise<void>
}

/** Events in one post at most. */
export const MAX_BATCH = 500
/** Events that wait at most, those on their way included. */
export const MAX_WAITING = 10_000
/** Milliseconds that an event waits for others. */
const BATCH_EVERY = 1_000
/** Deadline of one post, to the status of its answer; milliseconds. */
export const DEADLINE = 5_000
/** Waits between attempts, in milliseconds: doubled from the first to the last, then shortened by up to a half at random. */
const FIRST_RETRY = 1_000
const LAST_RETRY = 60_000
/** Milliseconds for what still waits when the gate ends. */
const GRACE = 2_000

/** Batches in order, one post at a time, each repeated until the receiver has taken or refused it. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { gate, receiver, post, clock, toIso, after, random, log } = options
  const health = createDeliveryHealth({ receiver, log, clock })
  const queue = createFifo<SessionEvent>()
  /** Taken out of the queue, and not delivered yet. */
  let batch: readonly SessionEvent[] = []
  /** Attempts at this batch. */
  let failures = 0
  let posting: { readonly ended: Promise<void>; giveUp(): void } | undefined
  let callOff: (() => void) | undefined
  let stopped = false
  let delivered = 0
  let dropped = 0

  const waiting = (): number => batch.length + queue.size()

  const schedule = (milliseconds: number): void => {
    callOff?.()
    callOff = after(milliseconds, () => {
      callOff = undefined
      void send()
    })
  }

  /** One attempt. Resolves when it has ended. */
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
      tell(posted)
      if (!stopped) schedule(retryAfter(failures, random))
      return
    }
    if (isDelivered) delivered += batch.length
    else {
      tell(posted)
      dropped += batch.length
    }
    batch = []
    failures = 0
    // Not while the next burst would push events out again.
    if (isDelivered && waiting() <= MAX_WAITING / 2) health.deliveredAgain(dropped)
    if (!stopped && waiting() > 0) schedule(isDelivered && queue.size() >= MAX_BATCH ? 0 : BATCH_EVERY)
  }

  const tell = (posted: Posted): void => {
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
    if (callOff === undefined) schedule(BATCH_EVERY)
    if (queue.size() === MAX_BATCH) schedule(0)
  }

  return {
    start: () => add({ event: 'gate-started', start: toIso(clock()) }),
    add,
    counts: () => ({ delivered, dropped, waiting: waiting() }),
    async stop() {
      stopped = true
      callOff?.()
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

/** The receiver has understood and does not want it: the same again would get the same answer. */
function isRefused(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

function retryAfter(failures: number, random: () => number): number {
  const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (failures - 1))
  return Math.round(longest * (1 - random() / 2))
}
