import type { DisplacedSession } from '../limit/displace.ts'
import { unknownTo } from '../limit/look.ts'
import type { Times } from '../limit/times.ts'
import type { LimitedSession, Mark, User } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import type { Entering } from './entering.ts'
import type { UserStates } from './user-states.ts'
import { type KnownUser, seenOf } from './user-table.ts'

export interface RejoinOptions {
  readonly states: Pick<UserStates, 'isShared'>
  readonly entering: Entering
  readonly limitedOf: (session: Session) => LimitedSession
  readonly times: Times
}

export interface Rejoin {
  /**
   * Brings back those sessions of this gate that a shared state does not know: the store was empty or away.
   * They are judged by their true ages.
   */
  rejoin(user: User, now: number, known: KnownUser): Rejoined
  /** The sessions of this gate that another one has ended. */
  endedOf(known: KnownUser): readonly { readonly session: Session; readonly mark: Mark }[]
}

export interface Rejoined {
  readonly user: User
  readonly displaced: readonly DisplacedSession[]
}

export function createRejoin({ states, entering, limitedOf, times }: RejoinOptions): Rejoin {
  return {
    rejoin(user, now, known) {
      // A text that was lost has no terms: those that this gate has heard last.
      const terms = user.terms ?? known.user.terms
      if (!states.isShared || terms === undefined || known.sessions.size === 0) return { user, displaced: [] }
      const entered = new Map(known.user.entries.map((entry) => [entry.id, entry.entered]))
      const missing = unknownTo(user, now, seenOf(known), times)
        .flatMap((id) => known.sessions.get(id) ?? [])
        .map((session) => ({ session, entered: entered.get(session.id) ?? session.openedAt }))
        .sort((a, b) => a.entered - b.entered)
      let rejoined: Rejoined = { user, displaced: [] }
      for (const { session, entered: at } of missing) {
        const coming = { entered: at, seen: session.lastSeen }
        const { user: made, said } = entering(limitedOf(session), terms, coming)(rejoined.user, now, known)
        rejoined = { user: made, displaced: [...rejoined.displaced, ...said.displaced] }
      }
      return rejoined
    },
    endedOf({ sessions, user }) {
      if (!states.isShared || sessions.size === 0 || user.marks.length === 0) return []
      return user.marks.flatMap((mark) => {
        const session = sessions.get(mark.id)
        return session === undefined ? [] : [{ session, mark }]
      })
    },
  }
}
