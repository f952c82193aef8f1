import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createAdminApp } from '../admin/app.ts'
import { createEventStream } from '../admin/event-stream.ts'
import { createAdminServer } from '../admin/server.ts'
import type { Settings } from '../config/read-settings.ts'
import { createDecide, type DecideOptions, type DecisionMade } from '../decision/decide.ts'
import { createWebhook } from '../events/webhook.ts'
import { createExplain, type Explain } from '../explain/explain.ts'
import { createGate } from '../gate/router.ts'
import { createGateServer } from '../gate/server.ts'
import { formatAddress, listen } from '../listen.ts'
import { createIdentify } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { SessionEnd } from '../session/session-table.ts'
import { createToIso, viewOf } from '../session/session-view.ts'
import { createSessionsDesk } from '../session/sessions-desk.ts'
import { readVersion } from '../version.ts'
import { createDecisionLog } from '../watch/decision-log.ts'
import { createDefaultCounter } from '../watch/default-counter.ts'
import { createLiveState } from '../watch/live-state.ts'
import type { Log } from '../watch/log.ts'
import { createMetrics } from '../watch/metrics.ts'
import { createPulse } from '../watch/pulse.ts'
import { createRecentDenials } from '../watch/recent-denials.ts'
import { createTally } from '../watch/tally.ts'
import type { Watched } from '../watch/watched.ts'
import { closeServers } from './close-servers.ts'
import { createBackends } from './create-backends.ts'
import { createMemory } from './create-memory.ts'
import { createReadiness } from './readiness.ts'

export interface Service {
  /** Opens the listeners. @throws {ListenError} */
  start(): Promise<void>
  /** Stops accepting, answers what is in flight, sends events that wait, closes. Ends within the deadline of a question and a little. */
  stop(): Promise<void>
  /** What the gate would decide, and why; also before `start`, when it knows nobody. */
  readonly explain: Explain
  readonly gateServer: Server
  readonly adminServer: Server | undefined
}

/** Milliseconds that an answer in flight may take past the deadline of its question. */
const GRACE = 500
/** The files of the live page lie beside dist/ and src/ alike. */
const PAGE = fileURLToPath(new URL('../../live-page', import.meta.url))

/** Builds the parts and connects them; nothing runs before `start`. */
export function createService(settings: Settings, log: Log): Service {
  // Whole numbers: V8 keeps them in the session itself, fractions in an object of their own.
  const clock = (): number => Math.round(performance.now())
  const toIso = createToIso(clock, Date.now)
  const { adminListen, backendTimeout, defaultAction, eventsUrl, eventsMinTime: minTime } = settings
  let closing = false
  let internalErrors = 0

  const onInternalError = (error: unknown): void => {
    internalErrors++
    log.error('internal error', { error: error instanceof Error ? error.stack : String(error) })
  }

  // Who hears of what happens.
  const decisions = createDecisionLog(log, clock)
  const byDefault = createDefaultCounter()
  const tally = createTally()
  const pulse = createPulse({ tally, backends: settings.backends.length, clock })
  const events = eventsUrl && createWebhook({ endpoint: eventsUrl, minTime, clock, toIso, log })
  const recentDenials = createRecentDenials({ wallClock: Date.now, onDenied: () => live.denied() })
  const onRefused = (why: string, requestId?: string): void => {
    decisions.refused(why, requestId)
    recentDenials.refused(why)
  }

  // What is remembered, who is asked, and what is decided.
  const memory = createMemory(settings, {
    onOpened(session: Session) {
      tally.sessionOpened()
      events?.opened(session)
      live.opened(session)
    },
    onEnded(session: Session, why: SessionEnd) {
      tally.sessionEnded(why)
      events?.ended(session, why)
      live.ended(session, why)
      if (why === 'closed') decisions.closed(session)
    },
  })

  const backends = createBackends({
    settings,
    log,
    clock,
    byDefault: byDefault.totals,
    onOutcome(place, outcome, took) {
      metrics.asked(place, outcome, took)
      pulse.asked(place, outcome, took)
    },
    onInternalError,
  })

  const badDurations = new Set<string>()
  const deciding: DecideOptions = {
    ...memory,
    ask: backends.ask,
    identify: createIdentify(settings),
    channelPattern: settings.channelPattern,
    lifetimes: settings.lifetimes,
    defaultAction,
    clock,
    random: Math.random,
    onDecision(made: DecisionMade) {
      byDefault.note(made)
      decisions.made(made)
      recentDenials.made(made)
    },
    onBadDuration(backend: string, sent: string) {
      if (badDurations.has(backend)) return
      badDurations.add(backend)
      log.warn('X-AuthDuration is no positive number of seconds; ALLOW_TTL counts instead', { backend, sent })
    },
    onInternalError,
  }
  const decide = createDecide(deciding)

  // The gate. nginx repeats verdicts of sessions that are silent to us meanwhile; they must not end for it.
  const nginxTtl = Math.min(settings.nginxTtl, settings.sessionIdle / 2)
  const gate = createGate({
    decide,
    defaultAction,
    isClosing: () => closing,
    nginxTtl,
    onAnswered: tally.answered,
    onRepeated: decisions.repeated,
    onRefused,
    onInternalError,
  })
  const gateServer = createGateServer(gate, (why) => {
    tally.refused()
    onRefused(why)
  })

  // What the operator sees.
  const watched: Watched = {
    backends: backends.each,
    backendTimeout,
    sessions: memory.held,
    byDefault: byDefault.totals,
    defaultAction,
    version: readVersion(),
    internalErrors: () => internalErrors,
  }
  const metrics = createMetrics({
    ...watched,
    tally,
    sessionBytes: memory.heldBytes,
    denialsEvicted: memory.denials.evicted,
    logLinesDropped: () => log.linesDropped?.() ?? 0,
    events: () => events?.counts() ?? { delivered: 0, dropped: 0, waiting: 0 },
  })
  const instance = formatAddress(settings.listen)
  const live = createEventStream({
    state: createLiveState({ ...watched, pulse, clock, wallClock: Date.now, instance }),
    viewOf: (session) => viewOf(session, toIso),
    denials: recentDenials,
    onInternalError,
  })
  const desk = createSessionsDesk([memory.sessions, memory.provisional], toIso)
  const explain = createExplain({ deciding, askInRehearsal: backends.rehearse, desk, toIso, nginxTtl })
  const createAdmin = (): Server =>
    createAdminServer(
      createAdminApp({
        token: settings.adminToken,
        readiness: createReadiness({
          ...watched,
          clock,
          isListening: () => gateServer.listening,
          isClosing: () => closing,
        }),
        metrics: metrics.text,
        desk,
        denials: recentDenials,
        explain,
        live,
        page: PAGE,
        onInternalError,
      }),
    )
  const adminServer = adminListen === undefined ? undefined : createAdmin()
  let stopSweeping = (): void => {}

  return {
    explain,
    gateServer,
    adminServer,
    async start() {
      if (adminServer !== undefined && adminListen !== undefined) await listen(adminServer, adminListen)
      await listen(gateServer, settings.listen)
      stopSweeping = memory.startSweeping(clock)
      events?.start()
      log.info('listening', {
        gate: instance,
        admin: adminListen === undefined ? 'off' : formatAddress(adminListen),
        backends: backends.each.map(({ name }) => name).join(' '),
        defaultAction,
      })
    },
    async stop() {
      closing = true
      stopSweeping()
      live.end()
      const servers = adminServer === undefined ? [gateServer] : [gateServer, adminServer]
      await closeServers(servers, backendTimeout + GRACE)
      await Promise.all([events?.stop(), backends.close()])
      decisions.end()
    },
  }
}
