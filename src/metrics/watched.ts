import type { BackendHealth, DefaultTotals } from '../backend/backend-health.ts'
import type { BreakerState } from '../backend/breaker.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { Verdict } from '../verdict.ts'

/** What metrics and pages read of one backend. */
export interface WatchedBackend {
  readonly name: string
  readonly health: Pick<BackendHealth, 'current'>
  state(): {
    readonly breaker: BreakerState['kind']
    readonly inFlight: number
    readonly places: number
    readonly waiting: number
  }
}

/** A count, and its bound. */
export interface Bounded {
  readonly count: () => number
  readonly limit: number
}

/** What metrics and pages read of the store. */
export type WatchedStore = Pick<SessionStore, 'state' | 'timeout' | 'waiting' | 'bytes' | 'tooLarge'>

/** What metrics read of the gates that share a store. */
export interface WatchedFleet {
  /** The name of this gate. */
  readonly name: string
  /** How many gates were heard of in the last seconds, this one included. */
  readonly gates: () => number
}

/** The state of the gate, for metrics and pages. The functions return the present value. */
export interface Watched {
  /** In the operator's order. */
  readonly backends: readonly WatchedBackend[]
  /** Milliseconds. */
  readonly backendTimeout: number
  readonly sessions: Readonly<Record<'live' | 'provisional' | 'denied', Bounded>>
  /** Unknown viewers about whom the default action decided, since the start. */
  readonly byDefault: () => DefaultTotals
  readonly defaultAction: Verdict
  /** Faults of alta-auth itself, since the start. */
  readonly internalErrors: () => number
  readonly version: string
}
