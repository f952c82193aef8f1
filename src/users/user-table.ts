import type { Seen } from '../limit/look.ts'
import { nobody, type User } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import type { Grant } from '../verdict.ts'

/** What a backend sent with the last allow of a user. */
export type Sent = Pick<Grant, 'maxSessions' | 'unique'>

/** A user and their sessions of the table. */
export interface KnownUser {
  readonly key: string
  user: User
  sent: Sent
  readonly sessions: Map<string, Session>
}

/** All users who have a limit. */
export interface UserTable {
  get(key: string): KnownUser | undefined
  getOrAdd(key: string): KnownUser
  /** The user under whom this session counts. */
  of(session: Session): KnownUser | undefined
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
      const known = users.get(key) ?? { key, user: nobody, sent: {}, sessions: new Map() }
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
