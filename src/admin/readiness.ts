import type { DefaultTotals } from '../backend/backend-health.ts'
import type { Tally } from '../metrics/tally.ts'
import type { Watched, WatchedStore } from '../metrics/watched.ts'
import type { ToIso } from '../session/session-view.ts'
import type { Verdict } from '../verdict.ts'
import { describeHealth } from './describe-health.ts'
import { describeStore } from './describe-store.ts'
import type { Readiness } from './health-routes.ts'
import type { ShownGates } from './show-gates.ts'

/** What readiness is read from. */
interface ReadinessOptions extends Watched {
  readonly tally: Pick<Tally, 'snapshot'>
  /** Undefined where STATE_URL is off. */
  readonly store: Pick<WatchedStore, 'state'> | undefined
  /** Undefined where no store is shared. */
  readonly gates?: (() => ShownGates) | undefined
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  readonly isListening: () => boolean
  readonly isClosing: () => boolean
}

/**
 * Creates the function that reads whether the gate can decide, and the state of its backends, sessions and
 * store.
 */
export function createReadiness(options: ReadinessOptions): () => Readiness {
  const { backends, sessions, byDefault, defaultAction, internalErrors, clock } = options
  const whyNot = (): readonly string[] => {
    if (options.isClosing()) return ['the service is stopping']
    return options.isListening() ? [] : ['the gate is not listening yet']
  }
  return () => {
    const reasons = whyNot()
    return {
      ready: reasons.length === 0,
      reasons,
      defaultAction,
      backends: backends.map(({ name, health, state }) => ({
        name,
        ...describeHealth(health.current(), clock()),
        ...state(),
      })),
      sessions: {
        live: sessions.live.count(),
        provisional: sessions.provisional.count(),
        denied: sessions.denied.count(),
      },
      state: describeStore(options.store, options.toIso),
      ...(options.gates === undefined ? {} : { gates: options.gates() }),
      byBackend: byBackend(options.tally),
      byDefault: byDefault(),
      internalErrors: internalErrors(),
    }
  }
}

/** How often a backend itself has allowed and denied since the start. */
function byBackend(tally: ReadinessOptions['tally']): DefaultTotals {
  const count = (verdict: Verdict): number =>
    tally
      .snapshot()
      .answers.filter((one) => one.source === 'backend' && one.verdict === verdict)
      .reduce((sum, one) => sum + one.count, 0)
  return { letIn: count('allow'), refused: count('deny') }
}
