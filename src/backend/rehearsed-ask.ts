import { addressGroupOf } from '../address-group.ts'
import { type AskBackend, createAskBackend } from './ask-backend.ts'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Endpoint } from './endpoint.ts'
import { failureReason } from './failure-reason.ts'
import type { Question } from './question.ts'
import type { Reply, Sender } from './send.ts'

/** One question and what came of it. */
export interface Exchange {
  readonly endpoint: Endpoint
  /** Undefined when it was not asked. */
  readonly question: Question | undefined
  readonly came:
    | { readonly kind: 'reply'; readonly reply: Reply }
    /** `message` is the system's own text. */
    | { readonly kind: 'failure'; readonly reason: string; readonly message: string }
  /** Milliseconds. */
  readonly took: number
}

export interface RehearsedAskOptions {
  readonly endpoint: Endpoint
  readonly sender: Sender
  readonly breaker: Breaker
  readonly bulkhead: Bulkhead
  readonly unavailableStatus: ReadonlySet<number>
  readonly clock: () => number
  readonly onInternalError: (error: unknown) => void
}

/**
 * Builds askers that ask as the gate does and leave no trace: neither breaker nor bulkhead nor health hear of it. `seen` is told of each
 * exchange.
 */
export function createRehearsedAsk(
  options: RehearsedAskOptions,
): (seen: (exchange: Exchange) => void) => AskBackend {
  const { endpoint, sender, breaker, bulkhead, unavailableStatus, clock, onInternalError } = options
  return (seen) => {
    const watched: Sender = {
      async send(question, signal) {
        const began = clock()
        try {
          const reply = await sender.send(question, signal)
          seen({ endpoint, question, came: { kind: 'reply', reply }, took: clock() - began })
          return reply
        } catch (error) {
          const reason = signal.aborted ? 'timeout' : failureReason(error)
          const message = signal.aborted ? 'no answer before the deadline' : messageOf(error)
          seen({ endpoint, question, came: { kind: 'failure', reason, message }, took: clock() - began })
          throw error
        }
      },
      close: () => Promise.resolve(),
    }
    const ask = createAskBackend({ endpoint, sender: watched, unavailableStatus, onInternalError })
    const without = (reason: 'breaker' | 'overload', message: string): ReturnType<AskBackend> => {
      seen({ endpoint, question: undefined, came: { kind: 'failure', reason, message }, took: 0 })
      return Promise.resolve({ kind: 'unavailable', backend: endpoint.name, reason })
    }
    return (subrequest, sessionId, budget, giveUp) => {
      if (!breaker.wouldAdmit(addressGroupOf(subrequest.address))) {
        return without('breaker', 'not asked: too many questions failed just now')
      }
      if (bulkhead.isFull()) return without('overload', 'not asked: too many questions are under way')
      return ask(subrequest, sessionId, budget, giveUp)
    }
  }
}

/** The text of the innermost cause: axios and undici wrap the system's error. */
function messageOf(error: unknown): string {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const inner: unknown = at instanceof AggregateError ? at.errors.at(-1) : at.cause
    if (!(inner instanceof Error)) break
    at = inner
  }
  return at instanceof Error ? at.message : String(at)
}
