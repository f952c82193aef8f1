import type { EventStream } from '../admin/event-stream.ts'
import type { Pulse } from '../admin/pulse.ts'
import type { RecentDenials } from '../admin/recent-denials.ts'
import type { DecisionMade } from '../decision/decide.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import type { Log } from '../log/log.ts'
import type { DefaultCounter } from '../metrics/default-counter.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Tally } from '../metrics/tally.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome } from '../verdict.ts'
import type { SessionEvents } from '../webhook/session-events.ts'

/** All that happens in the gate, a method for each kind. An observer has those that it wants to be told of. */
export interface Happenings {
  /** nginx got this answer: on the path of every subrequest. */
  answered(decision: Decision): void
  /** The answer was known already: on the path of every hit. */
  repeated(subrequest: Subrequest, decision: Decision): void
  /** A subrequest was refused before anybody was asked. */
  refused(why: string, requestId?: string): void
  /** What came was no readable HTTP; it was refused by itself. */
  unreadable(why: string): void
  /** A decision was made: somebody was asked, or the question was refused. */
  decided(made: DecisionMade): void
  /** What came of a question to one of the backends, by its place in BACKEND_URL, and after how many milliseconds. */
  asked(place: number, outcome: Outcome, took: number): void
  opened(session: Session): void
  ended(session: Session, why: SessionEnd): void
  /** A backend sent an `X-AuthDuration` that means nothing. */
  badDuration(backend: string, sent: string): void
  /** Our own code threw. */
  internalError(error: unknown): void
}

export type Observer = Partial<Happenings>

export interface Announcer {
  /** Tells all observers, in the order in which they came. */
  readonly tell: Happenings
  add(observer: Observer): void
}

/** Stands between what happens and who is told of it, so that each can be built without the other. */
export function createAnnouncer(): Announcer {
  const listeners: { [Kind in keyof Happenings]: Happenings[Kind][] } = {
    answered: [],
    repeated: [],
    refused: [],
    unreadable: [],
    decided: [],
    asked: [],
    opened: [],
    ended: [],
    badDuration: [],
    internalError: [],
  }
  return {
    tell: {
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
      ended(session, why) {
        for (const listener of listeners.ended) listener(session, why)
      },
      badDuration(backend, sent) {
        for (const listener of listeners.badDuration) listener(backend, sent)
      },
      internalError(error) {
        for (const listener of listeners.internalError) listener(error)
      },
    },
    add(observer) {
      for (const kind of Object.keys(listeners) as (keyof Happenings)[]) {
        const listener = observer[kind]
        if (listener !== undefined) (listeners[kind] as unknown[]).push(listener)
      }
    },
  }
}

export interface Watchers {
  readonly log: Log
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

/** Who is told of what: the log, the numbers, the operator's page, the operator's billing. */
export function observersOf(watchers: Watchers): readonly Observer[] {
  const { log, decisions, tally, byDefault, metrics, pulse, recentDenials, live, webhook } = watchers
  const badDurations = new Set<string>()
  return [
    {
      repeated: decisions.repeated,
      refused: decisions.refused,
      unreadable: decisions.refused,
      decided: decisions.made,
      ended(session, why) {
        if (why === 'closed') decisions.closed(session)
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
    {
      asked: pulse.asked,
      refused: recentDenials.refused,
      unreadable: recentDenials.refused,
      decided: recentDenials.made,
      opened: live.opened,
      ended: live.ended,
    },
    webhook === undefined ? {} : { opened: webhook.opened, ended: webhook.ended },
  ]
}
