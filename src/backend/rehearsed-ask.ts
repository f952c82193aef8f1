import type { AddressGroupsOf } from '../address.ts'
import {
  AbandonedError,
  type Client,
  failureReason,
  type HttpRequest,
  messageOf,
  type Reply,
} from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { Outcome } from '../verdict.ts'
import { type AskBackendOptions, createAskBackend } from './ask-backend.ts'
import type { GuardedAsk } from './backend.ts'
import type { Breaker } from './breaker.ts'
import { applicantOf, type Line } from './line.ts'

/** One request to a backend and its result. */
export interface Exchange {
  readonly endpoint: Endpoint
  /** Undefined when the backend was not asked. */
  readonly request: HttpRequest | undefined
  readonly came:
    | { readonly kind: 'reply'; readonly reply: Reply }
    /** `message` is the system's error text, or says why the backend was not asked. */
    | { readonly kind: 'failure'; readonly reason: string; readonly message: string }
  /** Milliseconds. */
  readonly took: number
}

interface RehearsedAskOptions extends AskBackendOptions {
  readonly groupsOf: AddressGroupsOf
  readonly breaker: Breaker
  readonly line: Line
}

/**
 * Builds functions that ask as the gate does, but change neither the breaker nor the queue nor the health of
 * the backend. `seen` is called with each exchange.
 */
export function createRehearsedAsk(
  options: RehearsedAskOptions,
): (seen: (exchange: Exchange) => void) => GuardedAsk {
  const { endpoint, client, breaker, line, clock } = options
  return (seen) => {
    const watched: Client = {
      ...client,
      async send(sending) {
        const began = clock()
        const { request } = sending
        try {
          const reply = await client.send(sending)
          seen({ endpoint, request, came: { kind: 'reply', reply }, took: clock() - began })
          return reply
        } catch (error) {
          const isLate = error instanceof AbandonedError
          const reason = isLate ? 'timeout' : failureReason(error)
          const message = isLate ? 'no answer before the deadline' : messageOf(error)
          seen({ endpoint, request, came: { kind: 'failure', reason, message }, took: clock() - began })
          throw error
        }
      },
    }
    const ask = createAskBackend({ ...options, client: watched })
    const without = (kind: 'unavailable' | 'refused', reason: string, message: string): Outcome => {
      seen({ endpoint, request: undefined, came: { kind: 'failure', reason, message }, took: 0 })
      return { kind, backend: endpoint.name, reason } as Outcome
    }
    return async (question, budget) => {
      const groups = options.groupsOf(question.subrequest.address)
      if (!breaker.wouldAdmit())
        return without('unavailable', 'breaker', 'not asked: too many questions failed just now')
      switch (line.look(applicantOf(question, groups))) {
        case 'none':
          return without('unavailable', 'overload', 'not asked: too many questions are under way')
        case 'excess':
          return without('refused', 'too-many-questions', 'not asked: too many of this address wait')
      }
      const { outcome } = await ask(question, groups, budget, () => {})
      return outcome
    }
  }
}
