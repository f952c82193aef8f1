import type { Server } from 'node:http'
import { join } from 'node:path'
import { createAdminApp } from '../admin/app.ts'
import { createAskHolders } from '../admin/ask-holders.ts'
import { createEventStream, type EventStream } from '../admin/event-stream.ts'
import { createLiveState } from '../admin/live-state.ts'
import { createPulse, type Pulse } from '../admin/pulse.ts'
import { createReadiness } from '../admin/readiness.ts'
import type { RecentChanges } from '../admin/recent-changes.ts'
import { createRecentDenials, type RecentDenials } from '../admin/recent-denials.ts'
import { createAdminServer } from '../admin/server.ts'
import { createSessionsDesk } from '../admin/sessions-desk.ts'
import type { Settings } from '../config/read-settings.ts'
import type { DecideOptions } from '../decision/decide.ts'
import { createExplain, type Explain } from '../explain/explain.ts'
import { createFindHeld } from '../explain/find-held.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { FRESH } from '../fleet/roster.ts'
import type { UserLimit } from '../limit/session-limit.ts'
import { formatAddress } from '../listen.ts'
import { createMetrics, type Metrics, type MetricsOptions } from '../metrics/metrics.ts'
import type { WatchedFleet } from '../metrics/watched.ts'
import { packageFolder } from '../package.ts'
import type { Session } from '../session/session.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { Backends } from './create-backends.ts'
import { type AmongGates, createFleetSide } from './create-fleet-side.ts'
import type { BoundedMemory } from './create-memory.ts'

export interface OperatorSideOptions {
  /** Undefined where this gate shares its store with nobody. */
  readonly amongGates?: AmongGates | undefined
  readonly settings: Settings
  readonly memory: BoundedMemory
  /** Undefined where STATE_URL is off. */
  readonly store: SessionStore | undefined
  /** Undefined where SESSION_LIMIT is off. */
  readonly limit: UserLimit | undefined
  readonly backends: Backends
  /** The options of the gate's own `decide`, for rehearsals. */
  readonly deciding: DecideOptions
  /** The longest time that nginx's verdict cache may repeat a verdict, in milliseconds. */
  readonly nginxTtl: number
  readonly watched: MetricsOptions
  /** Shows a path without the credential in it. */
  readonly maskPath: (path: string) => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly toIso: ToIso
  readonly isListening: () => boolean
  readonly isClosing: () => boolean
  readonly onInternalError: (error: unknown) => void
}

/** All that the operator sees: metrics, live page, explanations, and the server of them. */
export interface OperatorSide {
  readonly metrics: Metrics
  readonly pulse: Pulse
  readonly recentDenials: RecentDenials
  readonly live: EventStream
  readonly explain: Explain
  /** Undefined where this gate shares its store with nobody. */
  readonly fleet: Fleet | undefined
  readonly changes: RecentChanges | undefined
  /** Undefined where ADMIN_LISTEN is off. */
  readonly adminServer: Server | undefined
}

export function createOperatorSide(options: OperatorSideOptions): OperatorSide {
  const {
    settings,
    amongGates,
    memory,
    store,
    limit,
    backends,
    watched,
    clock,
    toIso,
    isListening,
    isClosing,
    onInternalError,
  } = options
  const pulse = createPulse({ tally: watched.tally, backends: settings.backends.length, clock })
  const instance = formatAddress(settings.listen)
  const recentDenials = createRecentDenials({
    maskPath: options.maskPath,
    wallClock: Date.now,
    onDenied: () => live.denied(),
  })
  const readState = createLiveState({
    ...watched,
    ...{ store, pulse, clock, toIso, wallClock: Date.now, instance },
    gates: () => gates?.news.shown(),
  })
  const view = (session: Session): SessionView => {
    const seen = viewOf(session, toIso, store?.standing(session))
    return amongGates === undefined ? seen : { ...seen, gate: amongGates.name }
  }
  const live = createEventStream({
    state() {
      // Called once a second, and only while somebody reads it.
      gates?.news.look()
      return readState()
    },
    viewOf: view,
    gate: amongGates?.name,
    denials: recentDenials,
    onInternalError,
  })
  const desk = createSessionsDesk({
    ...{ tables: [memory.sessions, memory.provisional], toIso, store, limit },
    shared: amongGates,
  })
  const gates =
    amongGates &&
    createFleetSide({
      ...amongGates,
      ...{ desk, clock, onInternalError, version: watched.version },
      sessions: () => watched.sessions.live.count() + watched.sessions.provisional.count(),
      findHeld: createFindHeld(options.deciding, toIso),
      viewOf: view,
      live: () => live,
    })
  const metrics = createMetrics({ ...watched, store, fleet: gates && watchFleet(gates.fleet) })
  const explain = createExplain({
    deciding: options.deciding,
    askInRehearsal: backends.rehearse,
    sessionsOf: (address, most) => desk.list({ address }, most, null).sessions,
    denials: recentDenials.list,
    store,
    limit,
    toIso,
    askHolders: gates && createAskHolders(gates.fleet),
    nginxTtl: options.nginxTtl,
  })
  const createAdmin = (): Server =>
    createAdminServer(
      createAdminApp({
        token: settings.adminToken,
        readiness: createReadiness({
          ...{ ...watched, store, clock, toIso, isListening, isClosing },
          gates: gates?.news.shown,
        }),
        metrics: metrics.text,
        desk,
        ofGates: gates?.desk,
        denials: recentDenials,
        explain,
        live,
        page: join(packageFolder, 'live-page'),
        onInternalError,
      }),
    )
  const adminServer = settings.adminListen === undefined ? undefined : createAdmin()
  const { fleet, changes } = gates ?? {}
  return { metrics, pulse, recentDenials, live, explain, fleet, changes, adminServer }
}

function watchFleet({ name, others }: Fleet): WatchedFleet {
  // By name: one that was killed and started again is heard of twice for some seconds.
  const names = () => new Set([name, ...others().flatMap((one) => (one.age <= FRESH ? one.name : []))])
  return { name, gates: () => names().size }
}
