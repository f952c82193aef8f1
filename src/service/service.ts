import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { defaultGateName } from '../config/gate-name.ts'
import type { Settings } from '../config/read-settings.ts'
import { createDecide, type DecideOptions } from '../decision/decide.ts'
import type { Explain } from '../explain/explain.ts'
import { createGate } from '../gate/gate.ts'
import { createGateServer } from '../gate/server.ts'
import { formatAddress, listen } from '../listen.ts'
import { createDecisionLog } from '../log/decision-log.ts'
import type { Log } from '../log/log.ts'
import { createDefaultCounter } from '../metrics/default-counter.ts'
import type { MetricsOptions } from '../metrics/metrics.ts'
import { createTally } from '../metrics/tally.ts'
import { readVersion } from '../package.ts'
import { createIdentify } from '../session/identity.ts'
import { createMaskPath } from '../session/mask-path.ts'
import { createScopeOf } from '../session/scope.ts'
import type { CookieWatch } from '../session/see.ts'
import type { Session } from '../session/session.ts'
import { createToIso, type SessionView, viewOf } from '../session/session-view.ts'
import { startTimer } from '../timer.ts'
import { createWebhook } from '../webhook/webhook.ts'
import { closeServers } from './close-servers.ts'
import { createBackends } from './create-backends.ts'
import { createLimit } from './create-limit.ts'
import { createMemory } from './create-memory.ts'
import { createStore } from './create-store.ts'
import { createNotifier, observersOf } from './observers.ts'
import { createOperatorSide } from './operator-side.ts'
import { createPathCredentialNotice } from './path-credential-notice.ts'
import { createSessionEnds } from './session-ends.ts'

export interface Service {
  /** Opens the listeners. @throws {ListenError} */
  start(): Promise<void>
  /**
   * Stops accepting, answers requests in flight, sends waiting webhook events, and closes. Requests in flight
   * have the deadline of a question and GRACE.
   */
  stop(): Promise<void>
  /** What the gate would decide, and why. It works before `start` too; there are no sessions then. */
  readonly explain: Explain
  readonly gateServer: Server
  readonly adminServer: Server | undefined
}

/** How long the start waits for a store that gates share, and for a folder; milliseconds. */
const STORE_START = { shared: 1_000, folder: 2_000 }
/** Milliseconds beyond the deadline of a question that an answer may take while the service stops. */
const GRACE = 500

/**
 * Builds the parts and connects them; nothing runs before `start`.
 */
export function createService(settings: Settings, log: Log): Service {
  // Whole numbers: V8 stores them in the session itself, but fractions in a separate object.
  const clock = (): number => Math.round(performance.now())
  const toIso = createToIso(clock, Date.now)
  const { adminListen, backendTimeout, defaultAction, eventsUrl, eventsInterim: interim } = settings
  const { notify, add } = createNotifier()
  let closing = false
  const isClosing = (): boolean => closing

  // The gate: what is remembered, who is asked, what is decided and answered.
  const nginxTtl = Math.min(settings.nginxTtl, settings.sessionIdle / 2)
  /** For how long nginx may answer in place of the gate; 0 until it says that it does. */
  const repeats = { for: 0 }
  let decidedAlone = 0
  const byDefault = createDefaultCounter()
  const identify = createIdentify(settings)
  const name = settings.gateName ?? defaultGateName(hostname(), settings.listen)
  const store = createStore({
    ...{ settings, log, clock, identify },
    scopeOf: createScopeOf(settings),
    onSilent: (session) => notify.ended(session, 'idle'),
    onReturned: notify.returned,
    onCommand: notify.commanded,
    limitedOf: (session) => limit?.limitedOf(session),
    sessionsOf: (viewer) => memory.sessions.of(viewer),
    onEndedElsewhere: (session, end) => ends.endedElsewhere(session, end),
    decidedAlone: () => decidedAlone,
  })
  const limit = createLimit({
    ...{ settings, identify, clock },
    end: (session, end) => ends.endFor(session, end),
    on: {
      displaced: notify.displaced,
      refused: notify.overLimit,
      nonsense: notify.badMaxSessions,
      shared: notify.sharedUser,
      internalError: notify.internalError,
    },
    unseen: () => repeats.for,
    stored: store && {
      texts: store.users,
      gate: store.engine.isShared ? store.engine.gate : '',
      onAlone: notify.decidedAlone,
      endElsewhere({ id, viewer, by, cause }) {
        store.end({ id, viewer }, { why: 'displaced', by, cause }).catch(notify.internalError)
      },
    },
  })
  const ends = createSessionEnds({
    notify,
    store: () => store,
    limit: () => limit,
    sessions: () => memory.sessions,
  })
  const onCookie: CookieWatch = {
    moved: notify.cookieMoved,
    missed: notify.cookieMissed,
    shared(sessions, clients) {
      notify.cookieShared(sessions, clients)
      if (settings.sessionCookieShared === 'log') return
      for (const session of sessions) ends.endFor(session, { why: 'shared' }).catch(notify.internalError)
    },
  }
  const listeners = { onOpened: notify.opened, onEnded: ends.ended, onCookie, unseen: () => repeats.for }
  const memory = createMemory(settings, listeners, store, limit)
  const backends = createBackends({
    settings,
    log,
    clock,
    byDefault: byDefault.totals,
    onOutcome: notify.asked,
    onInternalError: notify.internalError,
  })
  const deciding: DecideOptions = {
    ...memory,
    ask: backends.ask,
    identify,
    channelPattern: settings.channelPattern,
    credentialPattern: settings.credentialPattern,
    lifetimes: settings.lifetimes,
    defaultAction,
    clock,
    random: Math.random,
    after: startTimer,
    onDecision: notify.decided,
    onBadDuration: notify.badDuration,
    onInternalError: notify.internalError,
  }
  const gate = createGate({
    decide: createDecide(deciding),
    sessionCookie: settings.sessionCookie,
    defaultAction,
    isClosing,
    nginxTtl,
    onVerdictCache() {
      repeats.for = nginxTtl
    },
    onAnswered: notify.answered,
    onRepeated: notify.repeated,
    onRefused: notify.refused,
    onInternalError: notify.internalError,
  })
  const gateServer = createGateServer(gate, notify.unreadable)

  // Who observes it.
  const { path: maskPath } = createMaskPath(settings)
  const decisions = createDecisionLog(log, clock, maskPath)
  const tally = createTally()
  const view = (session: Session): SessionView => viewOf(session, toIso, store?.standing(session))
  const webhook =
    eventsUrl && createWebhook({ ...{ endpoint: eventsUrl, interim, clock, toIso, log }, viewOf: view })
  let internalErrors = 0
  let limitRefusals = 0
  let sharedNames = 0
  const watched: MetricsOptions = {
    backends: backends.each,
    backendTimeout,
    sessions: memory.held,
    byDefault: byDefault.totals,
    defaultAction,
    version: readVersion(),
    internalErrors: () => internalErrors,
    limitRefusals: () => limitRefusals,
    sharedNames: () => sharedNames,
    limitAlone: () => decidedAlone,
    limitedUsers: () => limit?.count() ?? 0,
    tally,
    sessionBytes: memory.heldBytes,
    denialsEvicted: memory.denials.evicted,
    logLinesDropped: () => log.linesDropped?.() ?? 0,
    events: () => webhook?.counts() ?? { delivered: 0, dropped: 0, waiting: 0 },
  }
  const operator = createOperatorSide({
    settings,
    log,
    name,
    memory,
    store,
    limit,
    backends,
    deciding,
    nginxTtl,
    watched,
    maskPath,
    clock,
    toIso,
    isListening: () => gateServer.listening,
    isClosing,
    onInternalError: notify.internalError,
  })
  for (const observer of observersOf({
    log,
    gate: name,
    maskPath,
    decisions,
    tally,
    byDefault,
    webhook,
    ...operator,
  }))
    add(observer)
  add({ internalError: () => void internalErrors++, overLimit: () => void limitRefusals++ })
  add({ sharedUser: () => void sharedNames++ })
  add({ decidedAlone: () => void decidedAlone++ })
  if (settings.credentialPattern === undefined) add(createPathCredentialNotice(log))

  const { explain, live, fleet, adminServer } = operator
  let leaveFleet: (() => void) | undefined
  let stopSweeping = (): void => {}
  let stopLooking: (() => void) | undefined
  return {
    explain,
    gateServer,
    adminServer,
    async start() {
      // A request that comes before the store is open would be judged without it.
      await store?.start(store.engine.isShared ? STORE_START.shared : STORE_START.folder)
      if (adminServer !== undefined && adminListen !== undefined) await listen(adminServer, adminListen)
      await listen(gateServer, settings.listen)
      stopSweeping = memory.startSweeping(clock)
      webhook?.start(store?.state().usable === true)
      stopLooking = limit?.start()
      leaveFleet = fleet?.start()
      log.info('listening', {
        gate: formatAddress(settings.listen),
        admin: adminListen === undefined ? 'off' : formatAddress(adminListen),
        backends: backends.each.map(({ name }) => name).join(' '),
        defaultAction,
      })
    },
    async stop() {
      closing = true
      stopSweeping()
      stopLooking?.()
      live.end()
      const servers = adminServer === undefined ? [gateServer] : [gateServer, adminServer]
      await closeServers(servers, backendTimeout + GRACE)
      leaveFleet?.()
      await Promise.all([webhook?.stop(), backends.close(), store?.stop(GRACE)])
      decisions.end()
    },
  }
}
