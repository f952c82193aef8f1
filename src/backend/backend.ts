import type { Outcome } from '../verdict.ts'
import { createAskBackend } from './ask-backend.ts'
import { type BreakerState, createBreaker } from './breaker.ts'
import { createClient } from './client.ts'
import { createConcurrency } from './concurrency.ts'
import { createControl } from './control.ts'
import { createControlRequest } from './create-request.ts'
import type { Endpoint } from './endpoint.ts'
import { createGuardedAsk, type GuardedAsk } from './guarded-ask.ts'
import { createLine } from './line.ts'
import { createRehearsedAsk, type Exchange } from './rehearsed-ask.ts'
import { createWitnesses } from './witnesses.ts'

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
  /** What came of each question, and after how many milliseconds. */
  readonly onOutcome: (outcome: Outcome, took: number) => void
  readonly onInternalError: (error: unknown) => void
}

/** One backend with all that stands between it and a question. */
export interface Backend {
  readonly name: string
  readonly ask: GuardedAsk
  /** As `ask`, but leaves no trace; `seen` is told of the exchange. */
  rehearse(seen: (exchange: Exchange) => void): GuardedAsk
  /** For people: the breaker's state, questions under way and waiting, and how many may be under way now. */
  state(): {
    readonly breaker: BreakerState['kind']
    readonly inFlight: number
    readonly places: number
    readonly waiting: number
  }
  close(): Promise<void>
}

/** Questions that may wait, for each that may be under way, and what all of them may cost in memory, in bytes. */
const LINE_FACTOR = 16
const LINE_BYTES = 16 * 1024 * 1024

export function createBackend(options: BackendOptions): Backend {
  const { endpoint, unavailableStatus, timeout, clock, random, onInternalError } = options
  const { name } = endpoint
  const client = createClient(endpoint, options.concurrency, timeout)
  const breaker = createBreaker({ clock, random })
  const concurrency = createConcurrency(options.concurrency, clock)
  const line = createLine({
    limit: concurrency.limit,
    length: options.concurrency * LINE_FACTOR,
    bytes: LINE_BYTES,
  })
  const control = createControl({
    request: createControlRequest(endpoint),
    client,
    unavailableStatus,
    timeout,
    clock,
    isOff: () => breaker.state().kind !== 'closed',
  })
  const witnesses = createWitnesses(clock)
  const asking = { endpoint, client, control, witnesses, unavailableStatus, clock, onInternalError }
  const ask = createGuardedAsk({
    backend: name,
    ask: createAskBackend(asking),
    breaker,
    line,
    concurrency,
    control,
    witnesses,
    clock,
  })
  return {
    name,
    async ask(question, budget, giveUp) {
      const began = clock()
      const outcome = await ask(question, budget, giveUp)
      options.onOutcome(outcome, clock() - began)
      return outcome
    },
    rehearse: createRehearsedAsk({ ...asking, breaker, line }),
    state: () => ({
      breaker: breaker.state().kind,
      inFlight: line.held(),
      places: concurrency.limit(),
      waiting: line.waiting(),
    }),
    close: () => client.close(),
  }
}
