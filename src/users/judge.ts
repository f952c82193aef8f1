import type { SessionLimit } from '../decision/limit.ts'
import type { Coming } from '../limit/admit.ts'
import { afterTry, hasNoRoom, holdsOn } from '../limit/holds.ts'
import { withSeen } from '../limit/look.ts'
import { playsOf } from '../limit/plays.ts'
import { prune } from '../limit/prune.ts'
import type { Times } from '../limit/times.ts'
import { isOwn } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { ApplyRule, Displacing } from './apply-rules.ts'
import type { Count, Counted } from './count.ts'
import type { DisplacedOne, DisplacedSessions } from './displaced-sessions.ts'
import { type Rule, whenKnown } from './user-states.ts'
import { seenOf, type UserTable } from './user-table.ts'

/** What follows from a judgement. In a rehearsal nothing does. */
export interface Consequences {
  /** A session comes; returns whether there is a place for it. */
  put(session: Session, counted: Counted, coming: Coming): boolean | Promise<boolean>
  /** A request of a displaced viewer is refused. */
  refuse(user: string): void
  /** A session waits for its first request that plays. */
  wait(session: Session, counted: Counted): void
  /** A session that was let in before has no place now. */
  cut(session: Session, counted: Counted): void
  /** Nobody waits for this; it may reject. */
  behind(result: unknown): void
}

export interface JudgeOptions {
  readonly users: Pick<UserTable, 'get'>
  readonly apply: ApplyRule
  /** Other gates know users, too. */
  readonly isShared: boolean
  readonly displaced: Pick<DisplacedSessions, 'find'>
  /** By the id of the session. */
  readonly waiting: ReadonlyMap<string, Counted>
  readonly times: Times
  readonly count: Count
}

type Judge = Pick<SessionLimit, 'enter' | 'enterAgain' | 'refuses' | 'play'>

/** Says who may play. All that follows is done by `then`. */
export function createJudge(options: JudgeOptions, then: Consequences): Judge {
  const { users, apply, isShared, displaced, waiting, times, count } = options

  const putOrCut = (session: Session, counted: Counted, coming: Coming): boolean | Promise<boolean> =>
    whenKnown(then.put(session, counted, coming), (hasPlace) => {
      if (!hasPlace) then.cut(session, counted)
      return hasPlace
    })

  /** Whether there is no room for a displaced session that is requested again. The try counts. */
  const tryAgain =
    (one: DisplacedOne, isOwnUrl: boolean): Rule<Displacing & { readonly isRefused: boolean }> =>
    (before, now, known) => {
      const user = prune(withSeen(before, now, seenOf(known), times), now, times)
      const { terms, sharedUntil } = user
      const letsAsk = { user: before, said: { isRefused: false, displaced: [] } }
      if (terms === undefined || sharedUntil > now) return letsAsk
      if (!hasNoRoom(playsOf(user.entries, now, times), terms.max, one.limited, now, times)) return letsAsk
      // Its URL is held no more: a person has come back to it, so the backend is asked.
      if (isOwnUrl && holdsOn(user, one.limited, now).length === 0) return letsAsk
      return { user: afterTry(user, one.limited, now, times), said: { isRefused: true, displaced: [] } }
    }

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
      const hasPlace = putOrCut(session, counted, { entered: limited.entered, seen: session.lastSeen })
      // It plays at another gate, so nobody waits until the others were heard. It is cut if need be.
      then.behind(hasPlace)
      return hasPlace instanceof Promise || hasPlace
    },

    refuses(identity, now) {
      const one = displaced.find(identity, now)
      if (one === undefined || (users.get(one.user) === undefined && !isShared)) return false
      const rule = tryAgain(one, isOwn(one.session, identity))
      return apply({ key: one.user, rule }, ({ isRefused }) => {
        if (isRefused) then.refuse(one.user)
        return isRefused
      })
    },

    play(session) {
      const counted = waiting.get(session.id)
      return counted === undefined || putOrCut(session, counted, {})
    },
  }
}
