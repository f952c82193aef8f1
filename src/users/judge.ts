import type { SessionLimit } from '../decision/limit.ts'
import type { Coming } from '../limit/admit.ts'
import { afterTry, hasNoRoom, holdsOn } from '../limit/holds.ts'
import { withSeen } from '../limit/look.ts'
import { playsOf } from '../limit/plays.ts'
import { prune } from '../limit/prune.ts'
import type { Times } from '../limit/times.ts'
import type { User } from '../limit/user.ts'
import { isOwn } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { Count, Counted } from './count.ts'
import type { DisplacedSessions } from './displaced-sessions.ts'
import { type KnownUser, seenOf, type UserTable } from './user-table.ts'

/** What follows from a judgement. In a rehearsal nothing does. */
export interface Consequences {
  /** A session comes; returns whether there is a place for it. */
  put(session: Session, counted: Counted, coming: Coming): boolean
  /** A request of a displaced viewer is refused; the user is as given from now on. */
  refuse(known: KnownUser, user: User): void
  /** A session waits for its first request that plays. */
  wait(session: Session, counted: Counted): void
  /** A session that was let in before has no place now. */
  cut(session: Session, counted: Counted): void
}

export interface JudgeOptions {
  readonly users: Pick<UserTable, 'get'>
  readonly displaced: Pick<DisplacedSessions, 'find'>
  /** By the id of the session. */
  readonly waiting: ReadonlyMap<string, Counted>
  readonly times: Times
  readonly count: Count
}

type Judge = Pick<SessionLimit, 'enter' | 'enterAgain' | 'refuses' | 'play'>

/** Says who may play. All that follows is done by `then`. */
export function createJudge(options: JudgeOptions, then: Consequences): Judge {
  const { users, displaced, waiting, times, count } = options
  return {
    enter(session, grant, backend, { isHead, tokenless }) {
      const counted = count.by(session, grant, backend)
      if (counted === undefined) return true
      if (!isHead) return then.put(session, counted, { tokenless })
      then.wait(session, counted)
      return true
    },

    enterAgain(session, limited, as, { isHead, tokenless }) {
      const counted = limited && count.again(session, limited.user, limited)
      if (limited === undefined || counted === undefined) return true
      if (as === 'resumed') {
        if (!isHead) return then.put(session, counted, { tokenless })
        then.wait(session, counted)
        return true
      }
      const { entered } = limited
      const hasPlace = then.put(session, counted, { entered, seen: session.lastSeen })
      if (!hasPlace) then.cut(session, counted)
      return hasPlace
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
      const counted = waiting.get(session.id)
      if (counted === undefined) return true
      const hasPlace = then.put(session, counted, {})
      if (!hasPlace) then.cut(session, counted)
      return hasPlace
    },
  }
}
