import type { Question } from '../subrequest.ts'
import type { Outcome } from '../verdict.ts'
import type { GuardedAsk } from './backend.ts'
import { timeLeft } from './deadline.ts'

/** How several backends make one outcome. */
export type BackendMode = 'failover' | 'any'

export interface AskBackendsOptions {
  readonly mode: BackendMode
  /** At least one, in the operator's order. */
  readonly backends: readonly [GuardedAsk, ...GuardedAsk[]]
  /** Overall deadline of one question in milliseconds, however many backends are asked. */
  readonly timeout: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

export type Ask = (question: Question) => Promise<Outcome>

export function createAsk(options: AskBackendsOptions): Ask {
  const [only, ...others] = options.backends
  if (others.length === 0) return (question) => only(question, options.timeout)
  return options.mode === 'failover' ? createFailover(options) : createAny(options)
}

/**
 * In order; the next one only when one is unavailable, or has no place for this client. Each gets an even share of the time that is left.
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
    // Who is refused by one backend must not get the default action for another that is away.
    return last.kind === 'unavailable' ? (outcomes.find(isRefused) ?? last) : last
  }
}

/** All at once. The first allow wins; a deny needs an answer from everybody. */
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
  return isUnavailable(outcome) || (outcome.kind === 'refused' && outcome.reason === 'too-many-questions')
}

function isUnavailable({ kind }: Outcome): boolean {
  return kind === 'unavailable'
}

function isRefused({ kind }: Outcome): boolean {
  return kind === 'refused'
}
