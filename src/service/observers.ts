import type { EventStream } from '../admin/event-stream.ts'
import type { Pulse } from '../admin/pulse.ts'
import type { RecentDenials } from '../admin/recent-denials.ts'
import type { DecisionMade } from '../decision/decide.ts'
import type { Return } from '../decision/stored.ts'
import type { Cause } from '../limit/user.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import type { Log } from '../log/log.ts'
import type { DefaultCounter } from '../metrics/default-counter.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Tally } from '../metrics/tally.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { StoreTrouble } from '../state/store-engine.ts'
import type { StoreCommand } from '../state/store-link.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome } from '../verdict.ts'
import type { SessionEvents } from '../webhook/session-events.ts'

/** All events of the gate, one method for each kind. */
export interface GateEvents {
  /** nginx gets this answer. Called for every subrequest, so it must be fast. */
  answered(decision: Decision): void
  /** The answer was a known verdict. Called for every hit, so it must be fast. */
  repeated(subrequest: Subrequest, decision: Decision): void
  /** A subrequest was refused without asking a backend. */
  refused(why: string, requestId?: string): void
  /** A request was not readable as HTTP and was refused. */
  unreadable(why: string): void
  /** A decision was made: a backend was asked, or the gate refused the question. */
  decided(made: DecisionMade): void
  /** One backend, by its index in BACKEND_URL, gave this outcome after `took` milliseconds. */
  asked(place: number, outcome: Outcome, took: number): void
  opened(session: Session): void
  /** A session of the store is in the table again. One that was resumed is told as opened, too. */
  returned(session: Session, as: Return): void
  ended(session: Session, why: SessionEnd): void
  /** The store has done this, or has failed to, after `took` milliseconds. */
  commanded(command: StoreCommand, took: number, trouble: StoreTrouble | undefined): void
  /** The limit has ended a session: another of its user, `by`, made it one too many. */
  displaced(session: Session, by: string, cause: Cause): void
  /** A session is requested with its cookie from another address than before. */
  cookieMoved(session: Session, from: string): void
  /** A session cookie is sent from these two addresses, or groups of addresses, at once. */
  cookieShared(sessions: readonly Session[], clients: readonly [string, string]): void
  /** A session was ridden without its cookie, for the first time. */
  cookieMissed(session: Session): void
  /** The limit has refused a request of this user. */
  overLimit(user: string): void
  /** A backend sent an `X-Max-Sessions` that is no number of sessions. */
  badMaxSessions(backend: string, sent: string): void
  /** The limit is suspended for a user: the name must be shared by many. */
  sharedUser(user: string): void
  /** The limit of a user counted for this gate alone, since the store was away. */
  decidedAlone(): void
  /** A backend sent an `X-AuthDuration` that is no positive whole number. */
  badDuration(backend: string, sent: string): void
  /** Our own code threw. */
  internalError(error: unknown): void
}

/** The methods of the events that an observer wants. */
export type Observer = Partial<GateEvents>

interface Notifier {
  /** Each method calls all observers, in the order in which they were added. */
  readonly notify: GateEvents
  add(observer: Observer): void
}

/** Passes events on to observers. With it the gate can be built before its observers. */
export function createNotifier(): Notifier {
  const listeners: { [Kind in keyof GateEvents]: GateEvents[Kind][] } = {
    answered: [],
    repeated: [],
    refused: [],
    unreadable: [],
    decided: [],
    asked: [],
    opened: [],
    returned: [],
    cookieMoved: [],
    cookieShared: [],
    cookieMissed: [],
    ended: [],
    commanded: [],
    displaced: [],
    overLimit: [],
    badMaxSessions: [],
    sharedUser: [],
    decidedAlone: [],
    badDuration: [],
    internalError: [],
  }
  return {
    notify: {
      answered(decision) {
        for (const listener of listeners.answered) listener(decision)
      },
      repeated(subrequest, decision) {
        for (const listener of listeners.repeated) listener(subrequest, decision)
      },
      refused(why, requestId) {
        for (const listener of listeners.refused) listener(why, requestId)
      },
      unreadable(why) {
        for (const listener of listeners.unreadable) listener(why)
      },
      decided(made) {
        for (const listener of listeners.decided) listener(made)
      },
      asked(place, outcome, took) {
        for (const listener of listeners.asked) listener(place, outcome, took)
      },
      opened(session) {
        for (const listener of listeners.opened) listener(session)
      },
      returned(session, as) {
        for (const listener of listeners.returned) listener(session, as)
      },
      ended(session, why) {
        for (const listener of listeners.ended) listener(session, why)
      },
      commanded(command, took, trouble) {
        for (const listener of listeners.commanded) listener(command, took, trouble)
      },
      displaced(session, by, cause) {
        for (const listener of listeners.displaced) listener(session, by, cause)
      },
      cookieMoved(session, from) {
        for (const listener of listeners.cookieMoved) listener(session, from)
      },
      cookieShared(sessions, clients) {
        for (const listener of listeners.cookieShared) listener(sessions, clients)
      },
      cookieMissed(session) {
        for (const listener of listeners.cookieMissed) listener(session)
      },
      overLimit(user) {
        for (const listener of listeners.overLimit) listener(user)
      },
      badMaxSessions(backend, sent) {
        for (const listener of listeners.badMaxSessions) listener(backend, sent)
      },
      sharedUser(user) {
        for (const listener of listeners.sharedUser) listener(user)
      },
      decidedAlone() {
        for (const listener of listeners.decidedAlone) listener()
      },
      badDuration(backend, sent) {
        for (const listener of listeners.badDuration) listener(backend, sent)
      },
      internalError(error) {
        for (const listener of listeners.internalError) listener(error)
      },
    },
    add(observer) {
      for (const kind of Object.keys(listeners) as (keyof GateEvents)[]) {
        const listener = observer[kind]
        if (listener !== undefined) (listeners[kind] as unknown[]).push(listener)
      }
    },
  }
}

/** The parts that observe the gate. */
interface ObservingParts {
  readonly log: Log
  /** Shows a path without the credential in it. */
  /** What people call this gate. */
  readonly gate: string
  readonly maskPath: (path: string) => string
  readonly decisions: DecisionLog
  readonly tally: Tally
  readonly byDefault: DefaultCounter
  readonly metrics: Metrics
  readonly pulse: Pulse
  readonly recentDenials: RecentDenials
  readonly live: EventStream
  /** Undefined where EVENTS_URL is empty. */
  readonly webhook: SessionEvents | undefined
}

/** The table of who gets which event: the log, the metrics, the live page, the webhook. */
export function observersOf(parts: ObservingParts): readonly Observer[] {
  const { log, gate, maskPath, decisions, tally, byDefault, metrics, pulse, recentDenials, live, webhook } =
    parts
  const badDurations = new Set<string>()
  const badNumbers = new Set<string>()
  return [
    {
      repeated: decisions.repeated,
      refused: decisions.refused,
      unreadable: decisions.refused,
      decided: decisions.made,
      ended(session, why) {
        if (why === 'closed') decisions.closed(session)
      },
      cookieMoved: decisions.moved,
      cookieShared(sessions, clients) {
        log.warn('a session cookie is sent from two places at once', {
          sessions: sessions.map(({ id }) => id).join(' '),
          user: sessions[0]?.userId || undefined,
          clients: clients.join(' '),
        })
      },
      displaced(session, by, cause) {
        const { id, userId: user, path } = session
        log.info('session displaced', { session: id, user, by, gate, cause, path: maskPath(path) })
      },
      badMaxSessions(backend, sent) {
        if (badNumbers.has(backend)) return
        badNumbers.add(backend)
        log.warn('X-Max-Sessions is no number of sessions; MAX_USER_SESSIONS counts instead', {
          backend,
          sent,
        })
      },
      sharedUser(user) {
        log.warn('shared name', {
          user: user.slice(user.indexOf('\n') + 1),
          detail:
            'this user was put out at more than ten networks within a minute: many share the name; where the backend gives one to everybody, set SESSION_LIMIT=report',
        })
      },
      badDuration(backend, sent) {
        if (badDurations.has(backend)) return
        badDurations.add(backend)
        log.warn('X-AuthDuration is no positive number of seconds; ALLOW_TTL counts instead', {
          backend,
          sent,
        })
      },
      internalError(error) {
        log.error('internal error', { error: error instanceof Error ? error.stack : String(error) })
      },
    },
    {
      answered: tally.answered,
      unreadable: tally.refused,
      opened: tally.sessionOpened,
      ended: (_session, why) => tally.sessionEnded(why),
      decided: byDefault.note,
      asked: metrics.asked,
    },
    metrics.ofStore ?? {},
    {
      cookieShared: metrics.ofCookies.shared,
      cookieMissed: ({ profile }) => metrics.ofCookies.missed(profile.userAgent),
    },
    {
      asked: pulse.asked,
      refused: recentDenials.refused,
      unreadable: recentDenials.refused,
      decided: recentDenials.made,
      opened: live.opened,
      returned: live.returned,
      ended: live.ended,
    },
    webhook === undefined ? {} : { opened: webhook.opened, returned: webhook.returned, ended: webhook.ended },
  ]
}
