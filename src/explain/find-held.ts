import type { DecideOptions } from '../decision/decide.ts'
import { isOwn } from '../session/scope.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'
import type { Subrequest } from '../subrequest.ts'

/** What a gate holds of the viewer of a request. */
export interface Held {
  /** The session that would answer the request; null: none. */
  readonly session: SessionView | null
  /** This very request has opened it; else the request rides on it. */
  readonly own: boolean
}

/** Looks without changing anything, and asks nobody. @param read a subrequest, as another gate has sent it */
export type FindHeld = (read: unknown) => Held

const texts = ['address', 'origin', 'path', 'query', 'userAgent', 'playbackId'] as const

/** The look of the gate at the sessions that it has, for explanations at other gates. */
export function createFindHeld(
  deciding: Pick<DecideOptions, 'identify' | 'sessions' | 'provisional' | 'outage' | 'clock'>,
  toIso: ToIso,
): FindHeld {
  const { identify, sessions, provisional, outage, clock } = deciding
  return (read) => {
    if (!isSubrequest(read)) return { session: null, own: false }
    const now = clock()
    const identity = identify(read)
    const counts = (one: Parameters<typeof outage.hasExpired>[0]): boolean => !outage.hasExpired(one, now)
    const session = sessions.peek(identity, now, counts) ?? provisional.peek(identity, now, counts)
    if (session === undefined) return { session: null, own: false }
    return { session: viewOf(session, toIso), own: isOwn(session, identity) }
  }
}

function isSubrequest(read: unknown): read is Subrequest {
  if (typeof read !== 'object' || read === null) return false
  return texts.every((name) => typeof (read as Readonly<Record<string, unknown>>)[name] === 'string')
}
