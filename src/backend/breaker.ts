import type { AddressGroups } from '../address.ts'

/** Monotonic milliseconds. */
type Time = number

/** The state of one backend's breaker. */
export type BreakerState =
  | { readonly kind: 'closed' }
  /** Questions fail at once; the first one at or after `tryAt` goes through. */
  | { readonly kind: 'open'; readonly since: Time; readonly tryAt: Time }
  /** Such a try is under way; all other questions still fail at once. */
  | { readonly kind: 'half-open'; readonly since: Time; readonly tryAt: Time }

/** All states, for metrics. */
export const breakerStates = [
  'closed',
  'open',
  'half-open',
] as const satisfies readonly BreakerState['kind'][]

/** A circuit breaker. */
export interface Breaker {
  /** Whether a question may go out now. While the breaker is open, one may every second, as a try. */
  admits(): boolean
  /** As `admits`, but changes nothing. */
  wouldAdmit(): boolean
  /** The backend gave an answer that shows that it works. */
  succeeded(): void
  /** A question failed by its own fault, or its answer proves nothing: the next one may be the try. */
  undecided(): void
  /** A question got no answer. The failures of one client or network count as those of one. */
  failed(groups: Pick<AddressGroups, 'client' | 'network'>): void
  state(): BreakerState
}

/** In a row, of so many networks, at most so many of one client, within so many milliseconds. */
const FAILURES = 10
const NETWORKS = 3
const MOST_OF_ONE = 5
const WINDOW = 10_000
/** Milliseconds between two tries. */
const TRY_EVERY = 1_000
/** The newest failures, of which some are of one client. */
const REMEMBERED = 256

interface Failure {
  readonly at: Time
  readonly client: string
  readonly network: string
}

/** @param clock monotonic milliseconds */
export function createBreaker(clock: () => Time): Breaker {
  let state: BreakerState = { kind: 'closed' }
  /** Since the last success. */
  let failures: Failure[] = []

  const wouldAdmit = (): boolean => state.kind === 'closed' || clock() >= state.tryAt

  const isBroken = (): boolean => {
    const ofClients = new Map<string, number>()
    for (const { client } of failures) ofClients.set(client, (ofClients.get(client) ?? 0) + 1)
    let count = 0
    for (const ofOne of ofClients.values()) count += Math.min(ofOne, MOST_OF_ONE)
    return count >= FAILURES && new Set(failures.map(({ network }) => network)).size >= NETWORKS
  }

  return {
    wouldAdmit,
    admits() {
      if (!wouldAdmit()) return false
      // The next try has its own time: one without an outcome must not keep the breaker half-open for ever.
      if (state.kind !== 'closed')
        state = { kind: 'half-open', since: state.since, tryAt: clock() + TRY_EVERY }
      return true
    },
    succeeded() {
      state = { kind: 'closed' }
      failures = []
    },
    undecided() {
      if (state.kind === 'half-open') state = { kind: 'open', since: state.since, tryAt: clock() }
    },
    failed({ client, network }) {
      const now = clock()
      if (state.kind === 'half-open') state = { ...state, kind: 'open' }
      if (state.kind !== 'closed') return
      failures = failures.filter(({ at }) => now - at < WINDOW).slice(1 - REMEMBERED)
      failures.push({ at: now, client, network })
      if (!isBroken()) return
      state = { kind: 'open', since: now, tryAt: now + TRY_EVERY }
      failures = []
    },
    state: () => state,
  }
}
