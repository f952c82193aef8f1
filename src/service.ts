import { createServer, type Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createAdminApp, type Readiness } from './admin/app.ts'
import { createAsk } from './backend/ask-backends.ts'
import { createBackend } from './backend/backend.ts'
import type { Settings } from './config/read-settings.ts'
import { createDecide } from './decision/decide.ts'
import { createFairShare } from './decision/fair-share.ts'
import { createOutage } from './decision/outage.ts'
import { createGate } from './gate/router.ts'
import { createGateServer } from './gate/server.ts'
import { formatAddress, listen } from './listen.ts'
import { createDenials } from './session/denials.ts'
import { createIdentify } from './session/identity.ts'
import { createSessionTable } from './session/session-table.ts'
import { type BackendHealth, createBackendHealth } from './watch/backend-health.ts'
import { createDecisionLog } from './watch/decision-log.ts'
import { createDefaultCounter } from './watch/default-counter.ts'
import type { Log } from './watch/log.ts'

export interface Service {
  /** Opens the listeners. @throws {ListenError} */
  start(): Promise<void>
  /** Stops accepting, answers what is in flight, closes. Ends within the deadline of a question and a little. */
  stop(): Promise<void>
  readonly gateServer: Server
  readonly adminServer: Server | undefined
}

/** Denied keys have a bound of their own: a flood of bad tokens evicts no viewer. */
const MAX_DENIALS = 100_000
/** Sessions of the default action likewise. */
const MAX_PROVISIONAL = 20_000
/** What one client address may hold of a backend's questions. */
const ADDRESS_SHARE = 1 / 4
/** Milliseconds between looks for sessions that have gone silent. */
const SWEEP_EVERY = 5_000
/** Milliseconds that an answer in flight may take past the deadline of its question. */
const GRACE = 500

/** Builds the parts and connects them; nothing runs before `start`. */
export function createService(settings: Settings, log: Log): Service {
  // Whole numbers: V8 keeps them in the session itself, fractions in an object of their own.
  const clock = (): number => Math.round(performance.now())
  let closing = false
  let internalErrors = 0

  const onInternalError = (error: unknown): void => {
    internalErrors++
    log.error('internal error', { error: error instanceof Error ? error.stack : String(error) })
  }
  const decisions = createDecisionLog(log)
  const byDefault = createDefaultCounter()
  const backends = settings.backends.map((endpoint) => {
    const { name } = endpoint
    const health = createBackendHealth({ backend: name, log, clock, byDefault: byDefault.totals })
    const backend = createBackend({
      endpoint,
      concurrency: settings.backendConcurrency,
      unavailableStatus: settings.unavailableStatus,
      clock,
      random: Math.random,
      onOutcome: health.note,
      onInternalError,
    })
    return { ...backend, health }
  })
  const [first, ...others] = backends
  if (first === undefined) throw new Error('settings without a backend')

  const questionsPerAddress = Math.floor(settings.backendConcurrency * ADDRESS_SHARE)
  const badDurations = new Set<string>()
  const sessions = createSessionTable({ max: settings.maxSessions, idle: settings.sessionIdle })
  const provisional = createSessionTable({ max: MAX_PROVISIONAL, idle: settings.sessionIdle })
  const denials = createDenials(MAX_DENIALS)
  const decide = createDecide({
    ask: createAsk({
      mode: settings.backendMode,
      backends: [first.ask, ...others.map((other) => other.ask)],
      timeout: settings.backendTimeout,
      clock,
    }),
    identify: createIdentify(settings),
    sessions,
    provisional,
    denials,
    channelPattern: settings.channelPattern,
    lifetimes: settings.lifetimes,
    defaultAction: settings.defaultAction,
    clock,
    random: Math.random,
    outage: createOutage(),
    questions: createFairShare(questionsPerAddress),
    rechecks: createFairShare(questionsPerAddress),
    onDecision(made) {
      byDefault.note(made)
      decisions.made(made)
    },
    onBadDuration(backend, sent) {
      if (badDurations.has(backend)) return
      badDurations.add(backend)
      log.warn('X-AuthDuration is no positive number of seconds; ALLOW_TTL counts instead', { backend, sent })
    },
    onInternalError,
  })

  const gate = createGate({
    decide,
    defaultAction: settings.defaultAction,
    isClosing: () => closing,
    // nginx repeats verdicts of sessions that are silent to us meanwhile; they must not end for it.
    nginxTtl: Math.min(settings.nginxTtl, settings.sessionIdle / 2),
    onRepeated: decisions.repeated,
    onRefused: decisions.refused,
    onInternalError,
  })
  const gateServer = createGateServer(gate, decisions.refused)

  const readiness = (): Readiness => {
    const whyNot = closing ? 'the service is stopping' : 'the gate is not listening yet'
    const reasons = gateServer.listening && !closing ? [] : [whyNot]
    return {
      ready: reasons.length === 0,
      reasons,
      defaultAction: settings.defaultAction,
      backends: backends.map(({ name, health, state }) => ({
        name,
        ...describeHealth(health, clock()),
        ...state(),
      })),
      sessions: { live: sessions.count(), provisional: provisional.count(), denied: denials.count() },
      byDefault: byDefault.totals(),
      internalErrors,
    }
  }
  const { adminListen } = settings
  const adminServer = adminListen === undefined ? undefined : createServer(createAdminApp({ readiness }))
  let sweeper: NodeJS.Timeout | undefined

  return {
    gateServer,
    adminServer,
    async start() {
      if (adminServer !== undefined && adminListen !== undefined) await listen(adminServer, adminListen)
      await listen(gateServer, settings.listen)
      sweeper = setInterval(() => {
        sessions.sweep(clock())
        provisional.sweep(clock())
        denials.sweep(clock())
      }, SWEEP_EVERY).unref()
      log.info('listening', {
        gate: formatAddress(settings.listen),
        admin: adminListen === undefined ? 'off' : formatAddress(adminListen),
        backends: backends.map(({ name }) => name).join(' '),
        defaultAction: settings.defaultAction,
      })
    },
    async stop() {
      closing = true
      clearInterval(sweeper)
      const closed = [gateServer, adminServer].map((server) => close(server))
      const patience = new AbortController()
      await Promise.race([
        Promise.all(closed),
        delay(settings.backendTimeout + GRACE, undefined, { signal: patience.signal }).catch(() => {}),
      ])
      patience.abort()
      for (const server of [gateServer, adminServer]) server?.closeAllConnections()
      await Promise.all(backends.map((backend) => backend.close()))
    },
  }
}

function describeHealth(health: BackendHealth, now: number): object {
  const current = health.current()
  if (current.state !== 'unavailable') return current
  return { state: current.state, reason: current.reason, seconds: Math.round((now - current.since) / 1000) }
}

function close(server: Server | undefined): Promise<void> {
  if (server?.listening !== true) return Promise.resolve()
  return new Promise((resolve) => server.close(() => resolve()))
}
