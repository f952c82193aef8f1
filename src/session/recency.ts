import { LRUCache } from 'lru-cache'
import type { Session } from './session.ts'

/**
 * The least-recently-used list of sessions. The links are in the sessions themselves: a cache beside them
 * would cost a second index entry for each, and a look-up for each touch.
 */
interface Recency {
  /** Moves a session to the front, or adds it there. */
  touch(session: Session): void
  remove(session: Session): void
  /** The least recently used one. */
  last(): Session | undefined
  /** The most recently used one first. */
  all(): Iterable<Session>
}

export function createRecency(): Recency {
  let first: Session | undefined
  let last: Session | undefined

  const remove = (session: Session): void => {
    const { lessRecent, moreRecent } = session
    if (moreRecent !== undefined) moreRecent.lessRecent = lessRecent
    else if (first === session) first = lessRecent
    if (lessRecent !== undefined) lessRecent.moreRecent = moreRecent
    else if (last === session) last = moreRecent
    session.lessRecent = undefined
    session.moreRecent = undefined
  }

  return {
    touch(session) {
      if (first === session) return
      remove(session)
      session.lessRecent = first
      if (first !== undefined) first.moreRecent = session
      first = session
      last ??= session
    },
    remove,
    last: () => last,
    *all() {
      for (let at = first; at !== undefined; at = at.lessRecent) yield at
    },
  }
}

/** A rate limit for each key. */
interface Turns {
  /** Whether the key may go ahead; if so, it may again `every` milliseconds later. `now` is monotonic. */
  take(key: string, now: number): boolean
}

/** Remembers the `max` most recent keys; any other key may go ahead at once. */
export function createTurns(every: number, max: number): Turns {
  const taken = new LRUCache<string, number>({ max })
  return {
    take(key, now) {
      const last = taken.get(key)
      if (last !== undefined && now - last < every) return false
      taken.set(key, now)
      return true
    },
  }
}
