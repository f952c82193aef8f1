import type { SessionLimit } from '../decision/limit.ts'
import type { Coming } from '../limit/admit.ts'
import { afterTry, hasNoRoom, holdsOn } from '../limit/holds.ts'
import { withSeen } from '../limit/look.ts'
import { playsOf } from '../limit/plays.ts'
import { prune } from '../limit/prune.ts'
import type { Terms } from '../limit/terms.ts'
import type { Times } from '../limit/times.ts'
import type { User } from '../limit/user.ts'
import { isOwn } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { Grant } from '../verdict.ts'
import type { DisplacedSessions } from './displaced-sessions.ts'
import { type KnownUser, seenOf, type UserTable } from './user-table.ts'

/** What follows from a judgement. In a rehearsal nothing does. */
export interface Consequences {
  /** A session comes; returns whether there is a place for it. */
  put(key: string, session: Session, terms: Terms, coming: Coming): boolean
  /** A request of a displaced viewer is refused; the user is as given from now on. */
  refuse(known: KnownUser, user: User): void
  /** A session waits for its first request that plays. */
  wait(session: Session, waiting: Waiting): void
  /** That request has come. */
  play(session: Session): void
  /** A session of the table has no place. */
  end(session: Session): void
}

/** A session that a HEAD opened. */
export interface Waiting {
  readonly key: string
  readonly terms: Terms
}

export interface JudgeOptions {
  readonly users: Pick<UserTable, 'get'>
  readonly displaced: Pick<DisplacedSessions, 'find'>
  readonly probes: ReadonlyMap<Session, Waiting>
  readonly times: Times
  readonly clock: () => number
  readonly isOff: boolean
  /** Undefined: this grant sets no limit. */
  readonly termsOf: (grant: Grant, backend: string) => Terms | undefined
  readonly keyOf: (userId: string, backend: string) => string
}

type Judge = Pick<SessionLimit, 'enter' | 'enterAgain' | 'refuses' | 'play'>

/** Says who may play. All that follows is done by `then`. */
export function createJudge(options: JudgeOptions, then: Consequences): Judge {
  const { users, displaced, probes, times, termsOf, keyOf } = options
  return {
    enter(session, grant, backend, isProbe) {
      const terms = termsOf(grant, backend)
      if (terms === undefined) return true
      const key = keyOf(session.userId, backend)
      if (!isProbe) return then.put(key, session, terms, {})
      then.wait(session, { key, terms })
      return true
    },

    enterAgain(session, limited, as, tokenless) {
      if (limited === undefined || options.isOff) return true
      const { user, entered, ...terms } = limited
      const coming = as === 'adopted' ? { entered, seen: session.lastSeen } : { tokenless }
      return then.put(user, session, terms, coming)
    },

    refuses(identity, now) {
      const one = displaced.find(identity, now)
      const known = one && users.get(one.user)
      if (one === undefined || known === undefined) return false
      const user = prune(withSeen(known.user, now, seenOf(known), times), now, times)
      const { terms, sharedUntil } = user
      if (terms === undefined || sharedUntil > now) return false
      if (!hasNoRoom(playsOf(user.entries, now, times), terms.max, one.limited, now, times)) return false
      const holds = holdsOn(user, one.limited, now)
      // Its URL is held no more: a person has come back to it, so the backend is asked.
      if (holds.length === 0 && isOwn(one.session, identity)) return false
      then.refuse(known, afterTry(user, one.limited, now, times))
      return true
    },

    play(session) {
      const waiting = probes.get(session)
      if (waiting === undefined) return true
      then.play(session)
      const hasPlace = then.put(waiting.key, session, waiting.terms, {})
      if (!hasPlace) then.end(session)
      return hasPlace
    },
  }
}
