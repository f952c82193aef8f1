import type { Subrequest } from '../subrequest.ts'
import type { Outcome } from '../verdict.ts'
import type { AskBackend } from './ask-backend.ts'
import { timeLeft } from './deadline.ts'

/** How several backends make one outcome. */
export type BackendMode = 'failover' | 'any'

export interface AskBackendsOptions {
  readonly mode: BackendMode
  /** At least one, in the operator's order. */
  readonly backends: readonly [AskBackend, ...AskBackend[]]
  /** Overall deadline of one question in milliseconds, however many backends are asked. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

export type Ask = (subrequest: Subrequest, sessionId: string) => Promise<Outcome>

export function createAsk(options: AskBackendsOptions): Ask {
  const [only, ...others] = options.backends
  if (others.length === 0) return (subrequest, sessionId) => only(subrequest, sessionId, options.timeout)
  return options.mode === 'failover' ? createFailover(options) : createAny(options)
}

/** In order; the next one only when one is unavailable. Each gets an even share of the time that is left. */
function createFailover({ backends, timeout, clock }: AskBackendsOptions): Ask {
  return async (subrequest, sessionId) => {
    const deadline = clock() + timeout
    const evenShare = timeout / backends.length
    const [first, ...rest] = backends
    let outcome = await first(subrequest, sessionId, evenShare)
    for (const [index, backend] of rest.entries()) {
      if (outcome.kind !== 'unavailable') break
      const share = timeLeft((deadline - clock()) / (rest.length - index), evenShare)
      outcome = await backend(subrequest, sessionId, share)
    }
    return outcome
  }
}

/** All at once. The first allow wins; a deny needs an answer from everybody. */
function createAny({ backends, timeout }: AskBackendsOptions): Ask {
  return (subrequest, sessionId) =>
    new Promise((resolve) => {
      const decided = new AbortController()
      const outcomes: Outcome[] = []
      for (const backend of backends) {
        void backend(subrequest, sessionId, timeout, decided.signal).then((outcome) => {
          outcomes.push(outcome)
          if (outcome.kind === 'allow') {
            resolve(outcome)
            decided.abort()
          } else if (outcomes.length === backends.length) {
            resolve(outcomes.find((one) => one.kind === 'unavailable') ?? outcome)
          }
        })
      }
    })
}
