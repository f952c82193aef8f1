import type { Seen } from '../limit/look.ts'
import { nobody, type User } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import type { UserValue } from '../state/shared-store.ts'
import type { Grant } from '../verdict.ts'
import type { Rule } from './user-states.ts'

/** What a backend sent with the last allow of a user. */
export type Sent = Pick<Grant, 'maxSessions' | 'unique'>

/** A user and their sessions of the table. */
export interface KnownUser {
  readonly key: string
  user: User
  sent: Sent
  readonly sessions: Map<string, Session>
  /** With a shared store: the text that `user` was read from, or written as. */
  value: UserValue | undefined
  /** With a shared store: what the others have not heard of yet. */
  repeat: readonly Rule<unknown>[]
  /**
   * With a shared store: when this gate has changed the user alone; undefined where all know all of it.
   * Milliseconds of the monotonic clock, as below.
   */
  aloneAt: number | undefined
  /** Requests before that have been told. */
  toldAt: number
}

/** All users who have a limit. */
export interface UserTable {
  get(key: string): KnownUser | undefined
  getOrAdd(key: string): KnownUser
  /** The user under whom this session counts. */
  of(session: Pick<Session, 'id'>): KnownUser | undefined
  /** The session counts for this user. */
  put(known: KnownUser, session: Session): void
  /** It counts no more. */
  take(known: KnownUser, session: Session): void
  delete(key: string): void
  all(): Iterable<KnownUser>
  count(): number
}

export function createUserTable(): UserTable {
  const users = new Map<string, KnownUser>()
  const ofSession = new Map<string, KnownUser>()
  return {
    get: (key) => users.get(key),
    getOrAdd(key) {
      const before = users.get(key)
      if (before !== undefined) return before
      const sessions = new Map<string, Session>()
      const known: KnownUser = {
        ...{ key, user: nobody, sent: {}, sessions },
        ...{ value: undefined, repeat: [], aloneAt: undefined, toldAt: 0 },
      }
      users.set(key, known)
      return known
    },
    of: ({ id }) => ofSession.get(id),
    put(known, session) {
      known.sessions.set(session.id, session)
      ofSession.set(session.id, known)
    },
    take(known, { id }) {
      known.sessions.delete(id)
      ofSession.delete(id)
    },
    delete: (key) => void users.delete(key),
    all: () => users.values(),
    count: () => users.size,
  }
}

/** When each session of a user was requested last. */
export function seenOf({ sessions }: KnownUser): Seen[] {
  return [...sessions.values()].map(({ id, lastSeen }) => ({ id, seen: lastSeen }))
}
