import type { DefaultCounter } from '../metrics/default-counter.ts'
import type { Watched, WatchedStore } from '../metrics/watched.ts'
import type { ToIso } from '../session/session-view.ts'
import type { Verdict } from '../verdict.ts'
import { describeHealth } from './describe-health.ts'
import { type DescribedStore, describeStore } from './describe-store.ts'
import type { Beat, Pulse } from './pulse.ts'
import type { ShownGates } from './show-gates.ts'

/** The state of the gate at one moment: what the live page shows above its lists. */
export interface LiveState {
  /** ISO 8601 in UTC. */
  readonly time: string
  /** Seconds since the start. */
  readonly uptime: number
  /** `limit` is the bound of live sessions. */
  readonly sessions: Readonly<Record<'live' | 'provisional' | 'denied' | 'limit', number>>
  readonly rates: Beat['rates']
  /** In the operator's order. */
  readonly backends: readonly object[]
  /** Of the store; null where there is none. */
  readonly state: DescribedStore | null
  readonly byDefault: ReturnType<DefaultCounter['totals']>
  readonly defaultAction: Verdict
  /** The deadline of one question, in milliseconds. */
  readonly deadline: number
  readonly version: string
  /** Where the gate listens. It tells several gates apart. */
  readonly instance: string
  /** All gates that share the store of this one; absent where it shares it with nobody. */
  readonly gates?: ShownGates
}

/** What the state is read from. */
interface LiveStateOptions extends Watched {
  readonly pulse: Pick<Pulse, 'look'>
  readonly instance: string
  /** Undefined where no store is shared. */
  readonly gates?: (() => ShownGates | undefined) | undefined
  /** Undefined where STATE_URL is off. */
  readonly store: Pick<WatchedStore, 'state'> | undefined
  readonly toIso: ToIso
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
}

/** Creates the function that reads the state. Call it once a second. */
export function createLiveState(options: LiveStateOptions): () => LiveState {
  const { pulse, sessions, clock, wallClock, defaultAction, version, instance } = options
  const startedAt = clock()
  return () => {
    const now = clock()
    const gates = options.gates?.()
    const beat = pulse.look()
    return {
      time: new Date(wallClock()).toISOString(),
      uptime: Math.round((now - startedAt) / 1000),
      sessions: {
        live: sessions.live.count(),
        provisional: sessions.provisional.count(),
        denied: sessions.denied.count(),
        limit: sessions.live.limit,
      },
      rates: beat.rates,
      backends: options.backends.map(({ name, health, state }, place) => ({
        name,
        ...describeHealth(health.current(), now),
        ...state(),
        ...beat.backends[place],
      })),
      state: describeStore(options.store, options.toIso),
      byDefault: options.byDefault(),
      defaultAction,
      deadline: options.backendTimeout,
      version,
      instance,
      ...(gates === undefined ? {} : { gates }),
    }
  }
}
