import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { createGuardedAsk, type GuardedAsk } from '../../src/backend/backend.ts'
import { type Breaker, createBreaker, createConcurrency } from '../../src/backend/breaker.ts'
import { type Control, createNetworkOutcomes } from '../../src/backend/evidence.ts'
import { createLine } from '../../src/backend/line.ts'
import type { Question, Subrequest } from '../../src/subrequest.ts'
import type { Outcome } from '../../src/verdict.ts'

export interface GuardOptions {
  /** The outcome of a question that is sent. */
  readonly ask: (question: Question) => Outcome | Promise<Outcome>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly breaker?: Breaker
  readonly concurrency?: number
  /** The failure may be caused by the question itself. */
  readonly isUnconfirmed?: boolean
}

/** A control question that is never answered. */
export const silentControl: Control = {
  isAlive: () => Promise.resolve(false),
}

/** The real guards around a pretend backend. */
export function guard(options: GuardOptions): GuardedAsk {
  const { clock, isUnconfirmed = false } = options
  const concurrency = createConcurrency({ most: options.concurrency ?? 64, quick: 500, clock })
  return createGuardedAsk({
    backend: 'pretend',
    async ask(question, _groups, _budget, onOver) {
      const outcome = await options.ask(question)
      onOver(outcome.kind === 'allow' || outcome.kind === 'deny')
      return { outcome, isUnconfirmed }
    },
    breaker: options.breaker ?? createBreaker({ clock, random: () => 0.5 }),
    line: createLine({ places: concurrency.places, length: 1_024, bytes: 1_048_576 }),
    concurrency,
    control: silentControl,
    networks: createNetworkOutcomes(clock),
    groupsOf: createAddressGroupsOf(usualPrefixes),
    clock,
  })
}

/** A question of an unknown viewer about this client request. */
export function questionAbout(subrequest: Subrequest, more: Partial<Question> = {}): Question {
  return {
    subrequest,
    sessionId: 'id',
    occasion: 'question',
    credential: true,
    knownViewer: undefined,
    ...more,
  }
}
