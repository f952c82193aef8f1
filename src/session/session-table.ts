import { LRUCache } from 'lru-cache'
import type { Identity } from './identity.ts'
import { covers, mayRide, sameTarget } from './scope.ts'
import type { Session } from './session.ts'

export interface SessionTableOptions {
  /** Bound of the sessions held; past it the viewer that was silent longest is dropped. */
  readonly max: number
  /** Silence that ends a session, in milliseconds. */
  readonly idle: number
}

export interface SessionTable {
  /** The session that answers this request: its own, or one it may ride on. Touches what it finds. */
  find(identity: Identity, now: number): Session | undefined
  open(session: Session, now: number): void
  end(session: Session): void
  /** Ends what has been silent too long; returns how many that were. */
  sweep(now: number): number
  count(): number
}

/** One viewer's sessions are walked one by one; more than this many are a mistake or an attack, and the oldest goes. */
const MAX_PER_VIEWER = 1000

/**
 * Live sessions, bounded. One entry a viewer, least recently seen first; a viewer's sessions hang on it as a list, most recently opened
 * first, so that "the viewer's most recent session whose scope covers this path" is the first match of a walk.
 */
export function createSessionTable(options: SessionTableOptions): SessionTable {
  const newestOf = new LRUCache<string, Session>({ max: options.max })
  let count = 0

  const isIdle = (session: Session, now: number): boolean => now - session.lastSeen > options.idle

  /** Takes one session out of its viewer's list. */
  const end = (session: Session): void => {
    if (session.ended) return
    session.ended = true
    count--
    const newest = newestOf.peek(session.viewer)
    if (newest === session) {
      if (session.older === undefined) newestOf.delete(session.viewer)
      else newestOf.set(session.viewer, session.older)
      return
    }
    for (let at = newest; at !== undefined; at = at.older) {
      if (at.older === session) {
        at.older = session.older
        return
      }
    }
  }

  /** Makes room: the viewer that was silent longest loses the session that was opened first. */
  const evictOne = (): void => {
    let oldest = newestOf.rvalues().next().value
    while (oldest?.older !== undefined) oldest = oldest.older
    if (oldest !== undefined) end(oldest)
  }

  /** The viewer came back to a session: it is the most recent one again. */
  const moveToFront = (session: Session, newest: Session): void => {
    if (session === newest) return
    let before = newest
    while (before.older !== undefined && before.older !== session) before = before.older
    before.older = session.older
    session.older = newest
    newestOf.set(session.viewer, session)
  }

  /** Ends the idle sessions of one viewer, and the oldest ones past the bound. */
  const prune = (newest: Session, now: number): void => {
    let kept = 0
    for (let at: Session | undefined = newest; at !== undefined; at = at.older) {
      if (isIdle(at, now) || ++kept > MAX_PER_VIEWER) end(at)
    }
  }

  return {
    find(identity, now) {
      const newest = newestOf.get(identity.viewer)
      for (let at = newest; at !== undefined; at = at.older) {
        const own = at.query === identity.query && sameTarget(at.target, identity.target)
        if (!own && !(mayRide(identity, at.query) && covers(at.target, identity.target))) continue
        if (isIdle(at, now)) {
          end(at)
          continue
        }
        at.lastSeen = now
        if (own && newest !== undefined) moveToFront(at, newest)
        return at
      }
      return undefined
    },

    open(session, now) {
      while (count >= options.max) evictOne()
      const newest = newestOf.get(session.viewer)
      session.older = newest
      session.ended = false
      newestOf.set(session.viewer, session)
      count++
      if (newest !== undefined) prune(session, now)
    },

    end,

    sweep(now) {
      const before = count
      for (;;) {
        const newest = newestOf.rvalues().next().value
        if (newest === undefined) break
        prune(newest, now)
        // Least recently seen first: behind the first viewer who is still here, everybody is.
        if (newestOf.has(newest.viewer)) break
      }
      return before - count
    },

    count: () => count,
  }
}
