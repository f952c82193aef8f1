import type { Server } from 'node:http'
import { join } from 'node:path'
import { createAdminApp } from '../admin/app.ts'
import { createEventStream, type EventStream } from '../admin/event-stream.ts'
import { createLiveState } from '../admin/live-state.ts'
import { createPulse, type Pulse } from '../admin/pulse.ts'
import { createReadiness } from '../admin/readiness.ts'
import { createRecentDenials, type RecentDenials } from '../admin/recent-denials.ts'
import { createAnswerers, createSearchGates } from '../admin/search-gates.ts'
import { createAdminServer } from '../admin/server.ts'
import { createSessionsDesk } from '../admin/sessions-desk.ts'
import { createShowGates } from '../admin/show-gates.ts'
import type { Settings } from '../config/read-settings.ts'
import { sharedConfigurationOf } from '../config/shared-configuration.ts'
import type { DecideOptions } from '../decision/decide.ts'
import { createExplain, type Explain } from '../explain/explain.ts'
import { createFleet, type Fleet } from '../fleet/fleet.ts'
import { FRESH } from '../fleet/roster.ts'
import type { UserLimit } from '../limit/session-limit.ts'
import { formatAddress, isLoopback } from '../listen.ts'
import type { Log } from '../log/log.ts'
import { createMetrics, type Metrics, type MetricsOptions } from '../metrics/metrics.ts'
import type { WatchedFleet } from '../metrics/watched.ts'
import { packageFolder } from '../package.ts'
import { type ToIso, viewOf } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import { startTimer } from '../timer.ts'
import type { Backends } from './create-backends.ts'
import type { BoundedMemory } from './create-memory.ts'

interface OperatorSideOptions {
  readonly settings: Settings
  readonly log: Log
  /** What people call this gate. */
  readonly name: string
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
interface OperatorSide {
  readonly metrics: Metrics
  readonly pulse: Pulse
  readonly recentDenials: RecentDenials
  readonly live: EventStream
  readonly explain: Explain
  /** Undefined where this gate shares its store with nobody. */
  readonly fleet: Fleet | undefined
  /** Undefined where ADMIN_LISTEN is off. */
  readonly adminServer: Server | undefined
}

export function createOperatorSide(options: OperatorSideOptions): OperatorSide {
  const {
    settings,
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
  const isShared = store?.engine.isShared === true
  const gate = isShared ? options.name : undefined
  const desk = createSessionsDesk({
    ...{ tables: [memory.sessions, memory.provisional], toIso, store, limit, gate },
    fleet: () => fleet,
  })
  const held = (): number => watched.sessions.live.count() + watched.sessions.provisional.count()
  const fleet = isShared && store ? joinFleet(store) : undefined
  const gates = fleet && createShowGates(fleet, watched.version, held)
  const live = createEventStream({
    state: createLiveState({
      ...watched,
      ...{ store, pulse, clock, toIso, wallClock: Date.now, instance, gates },
    }),
    viewOf: (session) => viewOf(session, toIso, store?.standing(session)),
    denials: recentDenials,
    onInternalError,
  })
  const metrics = createMetrics({ ...watched, store, fleet: fleet && watchFleet(fleet) })
  const explain = createExplain({
    deciding: options.deciding,
    askInRehearsal: backends.rehearse,
    sessionsOf: (address, most) => desk.list({ address }, most, null).sessions,
    denials: recentDenials.list,
    store,
    limit,
    toIso,
    nginxTtl: options.nginxTtl,
  })
  const createAdmin = (): Server =>
    createAdminServer(
      createAdminApp({
        token: settings.adminToken,
        readiness: createReadiness({
          ...{ ...watched, store, clock, toIso, isListening, isClosing },
          gates,
        }),
        metrics: metrics.text,
        desk,
        ofGates: fleet && createSearchGates(desk, fleet),
        denials: recentDenials,
        explain,
        live,
        page: join(packageFolder, 'live-page'),
        onInternalError,
      }),
    )
  const adminServer = settings.adminListen === undefined ? undefined : createAdmin()
  return { metrics, pulse, recentDenials, live, explain, fleet, adminServer }

  function joinFleet(joined: SessionStore): Fleet {
    const made = createFleet({
      ...{
        store: joined,
        name: options.name,
        version: watched.version,
        sessions: held,
        clock,
        after: startTimer,
      },
      ...{ onInternalError, page: pageOf(settings.adminListen) },
      configuration: sharedConfigurationOf(settings),
      answerers: () => createAnswerers(desk),
      closeProvisional: (filter) => desk.closing.provisional(filter),
      onMisfits(misfits) {
        for (const detail of misfits) options.log.warn('gates do not fit', { detail })
        if (misfits.length === 0) options.log.warn('gates fit again')
      },
    })
    joined.join(made)
    return made
  }
}

/** Where other machines reach the live page; undefined where they do not. */
function pageOf(listen: Settings['adminListen']): string | undefined {
  const isReached = listen?.kind === 'tcp' && !isLoopback(listen.host) && !/^[0.:]+$/.test(listen.host)
  return isReached ? `http://${formatAddress(listen)}/` : undefined
}

function watchFleet({ name, others }: Fleet): WatchedFleet {
  return { name, gates: () => 1 + others().filter(({ seen }) => seen * 1_000 <= FRESH).length }
}
