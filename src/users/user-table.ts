import type { Seen } from '../limit/look.ts'
import { placeOf } from '../limit/place.ts'
import { type LimitedSession, nobody, type User } from '../limit/user.ts'
import { addressOf, type Identity } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import type { Session } from '../session/session.ts'

/** A user and their sessions of the table. */
export interface KnownUser {
  readonly key: string
  user: User
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
  /** About `most` of all, going on where the last call has stopped. */
  next(most: number): readonly KnownUser[]
  count(): number
}

export function createUserTable(): UserTable {
  const users = new Map<string, KnownUser>()
  const ofSession = new Map<string, KnownUser>()
  let walk = users.values()
  return {
    get: (key) => users.get(key),
    getOrAdd(key) {
      const known = users.get(key) ?? { key, user: nobody, sessions: new Map() }
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
    next(most) {
      const found: KnownUser[] = []
      while (found.length < most) {
        const { done, value } = walk.next()
        if (done === true) {
          walk = users.values()
          break
        }
        found.push(value)
      }
      return found
    },
    count: () => users.size,
  }
}

/** When each session of a user was requested last. */
export function seenOf({ sessions }: KnownUser): Seen[] {
  return [...sessions.values()].map(({ id, lastSeen }) => ({ id, seen: lastSeen }))
}

/** What the rules know of a session. @param opener the identity of the request that opened it */
export function limitedSessionOf(session: Session, opener: Identity): LimitedSession {
  const { id, viewer, profile, scope, path } = session
  const { origin, userAgent, playbackId } = profile
  return {
    id,
    viewer,
    address: addressOf(viewer),
    player: `${origin}\n${userAgent}`,
    playback: playbackId,
    credential: opener.credential ? `${opener.query}${opener.pathCredential ?? ''}` : '',
    place: placeOf(scope),
    once: !isPlaylist(path),
  }
}
