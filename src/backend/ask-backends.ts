import type { Question } from '../subrequest.ts'
import { timeLeft } from '../timer.ts'
import type { Outcome } from '../verdict.ts'
import type { GuardedAsk } from './backend.ts'

/** How the outcomes of several backends become one. */
export type BackendMode = 'failover' | 'any'

interface AskBackendsOptions {
  readonly mode: BackendMode
  /** In the operator's order. */
  readonly backends: readonly [GuardedAsk, ...GuardedAsk[]]
  /** Overall deadline of one question in milliseconds, however many backends are asked. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** Asks all backends one question; never rejects. */
export type Ask = (question: Question) => Promise<Outcome>

export function createAsk(options: AskBackendsOptions): Ask {
  const [only, ...others] = options.backends
  if (others.length === 0) return (question) => only(question, options.timeout)
  return options.mode === 'failover' ? createFailover(options) : createAny(options)
}

/**
 * Asks the backends in order. The next is asked only when one is unavailable, or has no answer for this very
 * client or question. Each gets an even share of the time that is left.
 */
function createFailover({ backends, timeout, clock }: AskBackendsOptions): Ask {
  return async (question) => {
    const deadline = clock() + timeout
    const evenShare = timeout / backends.length
    const [first, ...rest] = backends
    const outcome = await first(question, evenShare)
    const outcomes = [outcome]
    for (const [index, backend] of rest.entries()) {
      if (!outcomes.every(wantsAnother)) break
      const share = timeLeft((deadline - clock()) / (rest.length - index), evenShare)
      outcomes.push(await backend(question, share))
    }
    const last = outcomes.at(-1) ?? outcome
    // If one backend refuses and another is unavailable, the default action must not replace the refusal.
    return wantsAnother(last) ? (outcomes.find(isRefused) ?? last) : last
  }
}

/** Asks all backends at once. The first allow wins; a deny needs a deny from all. */
function createAny({ backends, timeout }: AskBackendsOptions): Ask {
  return (question) =>
    new Promise((resolve) => {
      const decided = new AbortController()
      const outcomes: Outcome[] = []
      for (const backend of backends) {
        void backend(question, timeout, decided.signal).then((outcome) => {
          outcomes.push(outcome)
          if (outcome.kind === 'allow') {
            resolve(outcome)
            decided.abort()
          } else if (outcomes.length === backends.length) {
            resolve(outcomes.find(isRefused) ?? outcomes.find(isUnavailable) ?? outcome)
          }
        })
      }
    })
}

function wantsAnother(outcome: Outcome): boolean {
  return isUnavailable(outcome) || isRefused(outcome)
}

function isUnavailable({ kind }: Outcome): boolean {
  return kind === 'unavailable'
}

function isRefused({ kind }: Outcome): boolean {
  return kind === 'refused'
}
