import { collectDefaultMetrics, Registry } from 'prom-client'
import { breakerStates } from '../backend/breaker.ts'
import { notTheBackends, type Outcome, refusedReasons, unavailableReasons } from '../verdict.ts'
import { type CookieMetrics, createCookieMetrics } from './cookie-metrics.ts'
import { createDurations } from './durations.ts'
import { createFleetMetrics } from './fleet-metrics.ts'
import { readAtScrape, type Sample } from './read-at-scrape.ts'
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts'
import type { Tally } from './tally.ts'
import type { Bounded, Watched, WatchedBackend, WatchedFleet, WatchedStore } from './watched.ts'

/** Where the numbers come from. The functions are called at each scrape. */
export interface MetricsOptions extends Watched {
  readonly tally: Tally
  /** Estimated memory of sessions, in bytes. */
  readonly sessionBytes: Readonly<Record<'live' | 'provisional', Bounded>>
  readonly denialsEvicted: () => number
  readonly logLinesDropped: () => number
  /** Undefined where STATE_URL is off. */
  readonly store?: WatchedStore | undefined
  /** Undefined where no store is shared. */
  readonly fleet?: WatchedFleet | undefined
  /** Requests over the limit of their user, since the start. */
  readonly limitRefusals: () => number
  /** Users whose name many must share, since the start. */
  readonly sharedNames: () => number
  /** Users that were judged by this gate alone, while the store that gates share was away. */
  readonly limitAlone: () => number
  readonly limitedUsers: () => number
  readonly events: () => { readonly delivered: number; readonly dropped: number; readonly waiting: number }
}

/** The gate's metrics for Prometheus. */
export interface Metrics {
  /**
   * A question to a backend ended.
   * @param backend its place in the operator's order
   * @param took milliseconds
   */
  asked(backend: number, outcome: Outcome, took: number): void
  /** Undefined where there is no store. */
  readonly ofStore: StoreMetrics | undefined
  readonly ofCookies: CookieMetrics
  /** The text that Prometheus scrapes. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>
}

const outcomes = ['allow', 'deny', ...unavailableReasons, ...refusedReasons] as const

/** The gate's numbers, in a registry of their own: several gates may run in one process. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { tally, sessions, sessionBytes } = options
  const registry = new Registry()
  const backends = withUniqueNames(options.backends)
  const questions = backends.map(() => new Map<string, number>(outcomes.map((outcome) => [outcome, 0])))
  const durations = backends.map(createDurations)
  const reading = readAtScrape(registry)
  const { counter, gauge, histogram } = reading
  const ofBackends = (read: (backend: WatchedBackend) => number) => (): Sample[] =>
    backends.map((backend) => [{ backend: backend.name }, read(backend)])
  const ofKinds =
    (kinds: Readonly<Record<string, Bounded>>, read: (bounded: Bounded) => number) => (): Sample[] =>
      Object.entries(kinds).map(([kind, bounded]) => [{ kind }, read(bounded)])
  const single = (read: () => number) => (): Sample[] => [[{}, read()]]

  counter('decisions_total', 'Answers to nginx.', () =>
    tally
      .snapshot()
      .answers.map(({ verdict, source, reason, count }) => [{ verdict, source, reason }, count]),
  )
  counter('questions_total', 'Questions to a backend, by what came of them.', () =>
    backends.flatMap(({ name }, place) =>
      [...(questions[place] ?? [])].map(([outcome, count]): Sample => [{ backend: name, outcome }, count]),
    ),
  )
  histogram(
    'question_duration_seconds',
    'Time of a question to a backend, from the wish to ask until its end; asked ones only.',
    () => durations.map((one, place) => [{ backend: backends[place]?.name ?? '' }, one.read()]),
  )
  gauge(
    'questions_in_flight',
    'Questions under way.',
    ofBackends((backend) => backend.state().inFlight),
  )
  gauge(
    'questions_limit',
    'Questions that may be under way now: fewer while the backend is slow.',
    ofBackends((backend) => backend.state().places),
  )
  gauge(
    'questions_waiting',
    'Questions that wait for a place.',
    ofBackends((backend) => backend.state().waiting),
  )
  gauge('breaker_state', 'Which state the breaker is in: 1 for that one, 0 for the others.', () =>
    backends.flatMap(({ name, state }) =>
      breakerStates.map((one): Sample => [{ backend: name, state: one }, one === state().breaker ? 1 : 0]),
    ),
  )
  gauge(
    'backend_unavailable',
    'Whether the last questions found the backend unavailable.',
    ofBackends(({ health }) => (health.current().state === 'unavailable' ? 1 : 0)),
  )
  gauge(
    'backend_timeout_seconds',
    'BACKEND_TIMEOUT.',
    single(() => options.backendTimeout / 1000),
  )
  gauge(
    'sessions',
    'What is remembered now.',
    ofKinds(sessions, ({ count }) => count()),
  )
  gauge(
    'sessions_limit',
    'How much may be remembered.',
    ofKinds(sessions, ({ limit }) => limit),
  )
  gauge(
    'session_bytes',
    'Memory that sessions take now, as it is estimated.',
    ofKinds(sessionBytes, ({ count }) => count()),
  )
  gauge(
    'session_bytes_limit',
    'How much of it they may take.',
    ofKinds(sessionBytes, ({ limit }) => limit),
  )
  counter(
    'sessions_opened_total',
    'Sessions that began.',
    single(() => tally.snapshot().sessionsOpened),
  )
  counter('sessions_ended_total', 'Sessions that ended, by why.', () =>
    Object.entries(tally.snapshot().sessionsEnded).map(([reason, count]) => [{ reason }, count]),
  )
  counter(
    'denials_evicted_total',
    'Remembered denies that were pushed out by their bound.',
    single(options.denialsEvicted),
  )
  counter('default_decisions_total', 'Decisions of the default action about unknown viewers.', () => {
    const { letIn, refused } = options.byDefault()
    return [
      [{ verdict: 'allow' }, letIn],
      [{ verdict: 'deny' }, refused],
    ]
  })
  gauge('default_action', 'DEFAULT_ACTION: 1 for the one that is set.', () =>
    (['allow', 'deny'] as const).map((action) => [{ action }, action === options.defaultAction ? 1 : 0]),
  )
  counter('internal_errors_total', 'Faults of alta-auth itself.', single(options.internalErrors))
  counter(
    'log_lines_dropped_total',
    'Log lines that their reader was too slow for.',
    single(options.logLinesDropped),
  )
  counter('events_total', 'Events for EVENTS_URL, by what became of them.', () => {
    const { delivered, dropped } = options.events()
    return [
      [{ result: 'delivered' }, delivered],
      [{ result: 'dropped' }, dropped],
    ]
  })
  gauge(
    'events_waiting',
    'Events that wait for delivery.',
    single(() => options.events().waiting),
  )
  counter(
    'limit_refusals_total',
    'Requests that were over the number of their user; with SESSION_LIMIT=report would have been.',
    single(options.limitRefusals),
  )
  counter(
    'shared_names_total',
    'Users who were put out at more than ten networks within a minute: many share the name.',
    single(options.sharedNames),
  )
  counter(
    'limit_alone_total',
    'Limits that were judged by this gate alone, while the store that gates share was away.',
    single(options.limitAlone),
  )
  gauge('limited_users', 'Users with a number of sessions who are known now.', single(options.limitedUsers))
  const ofCookies = createCookieMetrics(reading)
  if (options.fleet !== undefined) createFleetMetrics(options.fleet, reading)
  const ofStore = options.store && createStoreMetrics(options.store, reading)
  gauge('build_info', 'What is running; always 1.', () => [
    [{ version: options.version, node: process.version }, 1],
  ])

  let watchesProcess = false
  return {
    asked(backend, outcome, took) {
      const name = 'reason' in outcome ? outcome.reason : outcome.kind
      const counts = questions[backend]
      counts?.set(name, (counts.get(name) ?? 0) + 1)
      if (outcome.kind !== 'refused' && !notTheBackends.has(name)) durations[backend]?.note(took)
    },
    ofStore,
    ofCookies,
    async text() {
      if (!watchesProcess) watchProcess(registry)
      watchesProcess = true
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

/**
 * Measures the event loop and the garbage collector from now on, until the process ends. It is called at the
 * first scrape, because it costs time even when nobody scrapes. It does not keep the process alive.
 */
function watchProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  // They are sums of other metrics, with names that Prometheus reserves for counters.
  for (const what of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${what}_total`)
}

/**
 * Names of backends leave out the parameters of the URL, so two may be equal. The second becomes `name#2`.
 */
function withUniqueNames(backends: readonly WatchedBackend[]): WatchedBackend[] {
  return backends.map(({ name, health, state }, place) => {
    const before = backends.slice(0, place).filter((other) => other.name === name).length
    return { name: before === 0 ? name : `${name}#${before + 1}`, health, state }
  })
}
