import type { Identity } from './identity.ts'
import { createRecency } from './recency.ts'
import { covers, isOwn, mayRide } from './scope.ts'
import type { Session } from './session.ts'

export interface SessionTableOptions {
  /** Bound of the sessions held; past it the one that was silent longest is dropped. */
  readonly max: number
  /** Silence that ends a session, in milliseconds. */
  readonly idle: number
}

export interface SessionTable {
  /** The session that answers this request: its own, or one it may ride on. Touches what it finds. */
  find(identity: Identity, now: number): Session | undefined
  open(session: Session, now: number): void
  end(session: Session): void
  /** A viewer's sessions that are past their time and wait for a re-check. */
  overdue(viewer: string, now: number): Session[]
  /** Ends what has been silent too long; returns how many that were. */
  sweep(now: number): number
  count(): number
}

/** A viewer's sessions are walked one by one, so their number is bounded too; past it the one opened or come back to longest ago goes. */
const MAX_PER_VIEWER = 1000

/**
 * Live sessions, bounded. A viewer's sessions hang on one another, most recently opened or come back to first, so that "the viewer's most recent session
 * whose scope covers this path" is the first match of a walk.
 */
export function createSessionTable({ max, idle }: SessionTableOptions): SessionTable {
  const newestOf = new Map<string, Session>()
  const recency = createRecency()
  let count = 0

  const end = (session: Session): void => {
    if (session.ended) return
    session.ended = true
    count--
    recency.remove(session)
    unlink(session)
  }

  /** Takes a session out of its viewer's list. */
  const unlink = (session: Session): void => {
    const newest = newestOf.get(session.viewer)
    if (newest === session) {
      if (session.older === undefined) newestOf.delete(session.viewer)
      else newestOf.set(session.viewer, session.older)
      return
    }
    for (let at = newest; at !== undefined; at = at.older) {
      if (at.older !== session) continue
      at.older = session.older
      return
    }
  }

  /** The viewer opened it, or came back to it: it is the most recent one. */
  const putFirst = (session: Session): void => {
    const newest = newestOf.get(session.viewer)
    if (newest === session) return
    session.older = newest
    newestOf.set(session.viewer, session)
  }

  const limit = (newest: Session): void => {
    let held = 1
    for (let at = newest.older; at !== undefined; at = at.older) if (++held > MAX_PER_VIEWER) end(at)
  }

  return {
    find(identity, now) {
      let at = newestOf.get(identity.viewer)
      while (at !== undefined) {
        const session = at
        at = session.older
        const own = isOwn(session, identity)
        if (!own && !(mayRide(identity, session.query) && covers(session, identity))) continue
        if (now - session.lastSeen > idle) {
          end(session)
          continue
        }
        session.lastSeen = now
        recency.touch(session)
        if (own && newestOf.get(session.viewer) !== session) {
          unlink(session)
          putFirst(session)
        }
        return session
      }
      return undefined
    },

    open(session, now) {
      for (let last = recency.last(); last !== undefined && count >= max; last = recency.last()) end(last)
      session.ended = false
      session.lastSeen = now
      count++
      recency.touch(session)
      putFirst(session)
      limit(session)
    },

    end,

    overdue(viewer, now) {
      const found: Session[] = []
      for (let at = newestOf.get(viewer); at !== undefined; at = at.older) {
        if (now >= at.dueAt && !at.checking) found.push(at)
      }
      return found
    },

    sweep(now) {
      const before = count
      for (let last = recency.last(); last !== undefined && now - last.lastSeen > idle; last = recency.last())
        end(last)
      return before - count
    },

    count: () => count,
  }
}
