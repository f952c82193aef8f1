import type { Identity } from './identity.ts'
import { covers, isOwn, mayRide, ridingKeyOf } from './scope.ts'
import { createRecency, createTurns, type Session, type SessionEnd } from './session.ts'

export interface SessionTableOptions {
  /** Bound of the sessions held; past it the one heard of least recently is dropped. */
  readonly max: number
  /** Bound of the bytes that they take; one session alone may take more. */
  readonly maxBytes: number
  /** Silence that ends a session, in milliseconds. */
  readonly idle: number
  readonly onOpened?: (session: Session) => void
  /** Told once for each session that was opened, when it is in the table no more. */
  readonly onEnded?: (session: Session, why: SessionEnd) => void
}

export interface SessionTable {
  /**
   * The session that answers this request: its own, or one it may ride on. The request counts for that one. It keeps the viewer's other
   * sessions that could answer it from going silent: they may be those of a neighbour behind the same address.
   */
  find(identity: Identity, now: number): Session | undefined
  /** Keeps from going silent what could answer this request, where a session of another table does. */
  keep(identity: Identity, now: number): void
  /** As `find`, but leaves no trace. Of sessions that do not count none is found. */
  peek(identity: Identity, now: number, counts: (session: Session) => boolean): Session | undefined
  /** Whether this viewer has a session. */
  knows(viewer: string): boolean
  open(session: Session, now: number): void
  /** Takes in a session that another table has handed over. */
  admit(session: Session, now: number): void
  end(session: Session, why: SessionEnd): void
  /** Gives a session away without ending it. */
  handOver(session: Session): void
  /** A viewer's sessions that are past their time and wait for a re-check. */
  overdue(viewer: string, now: number): Session[]
  /** Ends what has been silent too long, `most` of them at most; returns how many that were. */
  sweep(now: number, most?: number): number
  count(): number
  /** How much memory the sessions take. */
  bytes(): number
  /** All of them, the one heard of last first. The table must not change meanwhile. */
  all(): Iterable<Session>
}

/** A viewer's sessions are walked one by one, so their number is bounded too; past it the one heard of least recently goes. */
const MAX_PER_VIEWER = 1000
/** A ride keeps so many of the sessions behind the one it counts for; those further back once in a while only, since rides are many. */
const KEPT_AT_ONCE = 32
/** Part of SESSION_IDLE that may pass until then, and for how many kinds of rides that is remembered. */
const WHILE = 1 / 16
const MAX_TURNS = 1000

/**
 * Live sessions, bounded. A viewer's sessions hang on one another, most recently opened or come back to first: the first match of a
 * walk is the viewer's most recent session that covers a path.
 */
export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { max, maxBytes, idle, onOpened, onEnded } = options
  const newestOf = new Map<string, Session>()
  const recency = createRecency()
  const turns = createTurns(idle * WHILE, MAX_TURNS)
  let count = 0
  let bytes = 0

  const handOver = (session: Session): void => {
    if (session.ended) return
    session.ended = true
    count--
    bytes -= session.bytes
    recency.remove(session)
    unlink(session)
  }

  const end = (session: Session, why: SessionEnd): void => {
    if (session.ended) return
    handOver(session)
    onEnded?.(session, why)
  }

  /** Takes a session out of its viewer's list. */
  const unlink = (session: Session): void => {
    const newest = newestOf.get(session.viewer)
    if (newest === session) {
      if (session.older === undefined) newestOf.delete(session.viewer)
      else newestOf.set(session.viewer, session.older)
      return
    }
    let at = newest
    while (at !== undefined && at.older !== session) at = at.older
    if (at !== undefined) at.older = session.older
  }

  /** The viewer opened it, or came back to it: it is the most recent one. */
  const putFirst = (session: Session): void => {
    const newest = newestOf.get(session.viewer)
    if (newest === session) return
    session.older = newest
    newestOf.set(session.viewer, session)
  }

  /** Of those that one ride has kept the newest goes: whoever opens many pushes out their own. */
  const limit = (newest: Session): void => {
    let held = 1
    let silent = newest.older
    for (let at = silent; at !== undefined; at = at.older) {
      held++
      if (silent === undefined || at.heardAt < silent.heardAt) silent = at
    }
    if (silent !== undefined && held > MAX_PER_VIEWER) end(silent, 'evicted')
  }

  const answers = (session: Session, identity: Identity): boolean =>
    isOwn(session, identity) || (mayRide(identity, session.query) && covers(session, identity))

  const isSilent = (session: Session, now: number): boolean => now - session.heardAt > idle

  const hear = (session: Session, now: number): void => {
    session.heardAt = now
    recency.touch(session)
  }

  /** Keeps what could answer the request, from this session on. */
  const keep = (from: Session | undefined, identity: Identity, now: number): void => {
    let seen = 0
    for (let at = from; at !== undefined; ) {
      if (seen++ === KEPT_AT_ONCE && !turns.take(ridingKeyOf(identity), now)) return
      const session = at
      at = session.older
      if (!answers(session, identity)) continue
      if (isSilent(session, now)) {
        end(session, 'idle')
        continue
      }
      if (isOwn(session, identity)) session.lastSeen = now
      hear(session, now)
    }
  }

  const admit = (session: Session, now: number): void => {
    const { bytes: more } = session
    const isFull = (): boolean => count >= max || bytes + more > maxBytes
    for (let last = recency.last(); last !== undefined && isFull(); last = recency.last())
      end(last, 'evicted')
    session.ended = false
    session.lastSeen = now
    count++
    bytes += more
    hear(session, now)
    putFirst(session)
    limit(session)
  }

  return {
    find(identity, now) {
      let at = newestOf.get(identity.viewer)
      while (at !== undefined) {
        const session = at
        at = session.older
        if (!answers(session, identity)) continue
        if (isSilent(session, now)) {
          end(session, 'idle')
          continue
        }
        keep(session.older, identity, now)
        session.lastSeen = now
        session.requests++
        hear(session, now)
        if (newestOf.get(session.viewer) !== session && isOwn(session, identity)) {
          unlink(session)
          putFirst(session)
        }
        return session
      }
      return undefined
    },

    keep(identity, now) {
      if (count > 0) keep(newestOf.get(identity.viewer), identity, now)
    },

    peek(identity, now, counts) {
      for (let at = newestOf.get(identity.viewer); at !== undefined; at = at.older)
        if (answers(at, identity) && !isSilent(at, now) && counts(at)) return at
      return undefined
    },

    knows: (viewer) => newestOf.has(viewer),

    open(session, now) {
      admit(session, now)
      onOpened?.(session)
    },

    admit,
    end,
    handOver,

    overdue(viewer, now) {
      const found: Session[] = []
      for (let at = newestOf.get(viewer); at !== undefined; at = at.older)
        if (now >= at.dueAt && !at.checking) found.push(at)
      return found
    },

    sweep(now, most = Number.POSITIVE_INFINITY) {
      let ended = 0
      for (let last = recency.last(); last !== undefined && ended < most; last = recency.last()) {
        if (!isSilent(last, now)) break
        end(last, 'idle')
        ended++
      }
      return ended
    },

    count: () => count,
    bytes: () => bytes,
    all: recency.all,
  }
}
