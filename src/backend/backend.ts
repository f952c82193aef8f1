import type { Outcome } from '../verdict.ts'
import { type AskBackend, createAskBackend } from './ask-backend.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import type { Endpoint } from './endpoint.ts'
import { createGuardedAsk } from './guarded-ask.ts'
import { createRehearsedAsk, type Exchange } from './rehearsed-ask.ts'
import { createSender } from './send.ts'

export interface BackendOptions {
  readonly endpoint: Endpoint
  /** Questions under way at most. */
  readonly concurrency: number
  /** What one question may take, in milliseconds. */
  readonly timeout: number
  /** Statuses that count as no answer; never 200. */
  readonly unavailableStatus: ReadonlySet<number>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** What came of each question that tells something about this backend, and after how many milliseconds. */
  readonly onOutcome: (outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
}

/** One backend with all that stands between it and a question. */
export interface Backend {
  readonly name: string
  readonly ask: AskBackend
  /** As `ask`, but leaves no trace; `seen` is told of the exchange. */
  rehearse(seen: (exchange: Exchange) => void): AskBackend
  /** For people: the breaker's state, questions under way and waiting. */
  state(): { readonly breaker: BreakerState['kind']; readonly inFlight: number; readonly waiting: number }
  close(): Promise<void>
}

/** Questions that wait for a place, for each one under way. */
const QUEUE_FACTOR = 2

export function createBackend(options: BackendOptions): Backend {
  const { endpoint, concurrency, unavailableStatus, clock, random, onInternalError } = options
  const { name } = endpoint
  const sender = createSender(endpoint, concurrency, options.timeout)
  const breaker = createBreaker({ clock, random })
  const bulkhead = createBulkhead({ concurrency, queue: concurrency * QUEUE_FACTOR })
  const askBackend = createAskBackend({ endpoint, sender, unavailableStatus, onInternalError })
  const ask = createGuardedAsk({ backend: name, ask: askBackend, breaker, bulkhead, clock })
  return {
    name,
    async ask(subrequest, sessionId, budget, giveUp) {
      const began = clock()
      const outcome = await ask(subrequest, sessionId, budget, giveUp)
      // A question that another backend's allow made needless says nothing about this one.
      if (giveUp?.aborted !== true) options.onOutcome(outcome, clock() - began)
      return outcome
    },
    rehearse: createRehearsedAsk({
      endpoint,
      sender,
      breaker,
      bulkhead,
      unavailableStatus,
      clock,
      onInternalError,
    }),
    state: () => ({
      breaker: breaker.state().kind,
      inFlight: bulkhead.inFlight(),
      waiting: bulkhead.waiting(),
    }),
    close: () => sender.close(),
  }
}
