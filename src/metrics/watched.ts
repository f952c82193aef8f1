import type { BackendHealth } from '../backend/backend-health.ts'
import type { Verdict } from '../verdict.ts'

/** One backend as it is watched. */
export interface WatchedBackend {
  readonly name: string
  readonly health: Pick<BackendHealth, 'current'>
  state(): {
    readonly breaker: 'closed' | 'open' | 'half-open'
    readonly inFlight: number
    readonly places: number
    readonly waiting: number
  }
}

/** How much there is now, and at most. */
export interface Bounded {
  readonly count: () => number
  readonly limit: number
}

/** The gate as it is at one moment, for whoever tells of it. Functions are asked each time. */
export interface Watched {
  /** In the operator's order. */
  readonly backends: readonly WatchedBackend[]
  /** Milliseconds. */
  readonly backendTimeout: number
  readonly sessions: Readonly<Record<'live' | 'provisional' | 'denied', Bounded>>
  /** Strangers about whom the default action decided, since the start. */
  readonly byDefault: () => { readonly letIn: number; readonly refused: number }
  readonly defaultAction: Verdict
  /** Faults of our own code, since the start. */
  readonly internalErrors: () => number
  readonly version: string
}
