import { answers, hasCookieOf } from './answers.ts'
import { createCookieIndex } from './cookie-index.ts'
import { clientIn, type Identity } from './identity.ts'
import { createRecency, createTurns } from './recency.ts'
import { isOwn, ridingKeyOf } from './scope.ts'
import type { Session, SessionEnd } from './session.ts'

export interface SessionTableOptions {
  /** Most sessions held; beyond it the least recently used one is evicted. */
  readonly max: number
  /** Most bytes that they take; one session alone may take more. */
  readonly maxBytes: number
  /** Bytes that others keep for each session; 0 unless given. */
  readonly overhead?: number
  /** A session ends after so many milliseconds without a request. */
  readonly idle: number
  readonly onOpened?: (session: Session) => void
  /** Called once for each opened session, after it has left the table. */
  readonly onEnded?: (session: Session, why: SessionEnd) => void
  readonly onCookie?: CookieWatch
}

/** Who hears of session cookies. */
export interface CookieWatch {
  /** A cookie came from an address of another group than before: `from`, as far as that is known. */
  moved(session: Session, from: string): void
  /** A cookie is sent from two clients of one family, for longer than a minute. Each cookie is told once. */
  shared(sessions: readonly Session[], clients: readonly [string, string]): void
  /** For the first time a session was ridden without its cookie. */
  missed(session: Session): void
}

export interface SessionTable {
  /**
   * The session that answers this request, and counts it: its own, or one it may ride on. Others that could
   * answer it are kept alive as well: they may belong to a neighbour behind the same address.
   */
  find(identity: Identity, now: number): Session | undefined
  /** Keeps alive the sessions that could answer this request, when one of another table answers it. */
  keep(identity: Identity, now: number): void
  /** As `find`, but changes nothing, and skips the sessions for which `counts` is false. */
  peek(identity: Identity, now: number, counts: (session: Session) => boolean): Session | undefined
  /** Whether this viewer has a session, or there is one with this cookie. */
  knows(viewer: string, cookie?: string): boolean
  /** The sessions with this cookie; the one that was opened or requested itself last is last. */
  withCookie(cookie: string): readonly Session[]
  /** The sessions of a viewer, the newest first. The table must not change meanwhile. */
  of(viewer: string): Iterable<Session>
  open(session: Session, now: number): void
  /** Adds a session that another table has handed over. */
  admit(session: Session, now: number): void
  /** Adds a session that an earlier process has opened. Its times stay. */
  adopt(session: Session): void
  end(session: Session, why: SessionEnd): void
  /** Removes a session without ending it. */
  handOver(session: Session): void
  /** The viewer's sessions that are due for a re-check and have none under way. */
  overdue(viewer: string, now: number): Session[]
  /** Ends idle sessions, `most` at most; returns how many. */
  sweep(now: number, most?: number): number
  count(): number
  /** Bytes that the sessions take, estimated. */
  bytes(): number
  /** All sessions, the most recently used first. The table must not change meanwhile. */
  all(): Iterable<Session>
}

/** Most sessions of one viewer, since a look-up walks them. The least recently used one is evicted. */
const MAX_PER_VIEWER = 1000
/** Each ride keeps alive this many older sessions. Those further back are visited only at intervals. */
const KEPT_AT_ONCE = 32
/** That interval, as a part of SESSION_IDLE, and for how many riding keys it is remembered. */
const INTERVAL = 1 / 16
const MAX_TURNS = 1000

/**
 * Live sessions, bounded. Each viewer's sessions form a linked list. A session moves to its front when it is
 * opened and when its own URL is requested, so the first match of a walk is the most recent one.
 */
export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { max, maxBytes, idle, onOpened, onEnded, onCookie, overhead = 0 } = options
  const newestOf = new Map<string, Session>()
  const cookies = createCookieIndex()
  const recency = createRecency()
  const turns = createTurns(idle * INTERVAL, MAX_TURNS)
  let count = 0
  let bytes = 0

  const handOver = (session: Session): void => {
    if (session.ended) return
    session.ended = true
    count--
    bytes -= session.bytes + overhead
    recency.remove(session)
    unlink(session)
    cookies.remove(session)
    // Whoever still holds it does not hold the others.
    session.older = undefined
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

  /** Makes it the first of its viewer's list. */
  const putFirst = (session: Session): void => {
    const newest = newestOf.get(session.viewer)
    if (newest === session) return
    session.older = newest
    newestOf.set(session.viewer, session)
  }

  /** Evicts one session of a viewer who has too many. Among equally idle ones it is the newest. */
  const limit = (newest: Session): void => {
    let held = 1
    let leastRecent = newest.older
    for (let at = leastRecent; at !== undefined; at = at.older) {
      held++
      if (leastRecent === undefined || at.activeAt < leastRecent.activeAt) leastRecent = at
    }
    if (leastRecent !== undefined && held > MAX_PER_VIEWER) end(leastRecent, 'evicted')
  }

  const isIdle = (session: Session, now: number): boolean => now - session.activeAt > idle

  const touch = (session: Session, now: number): void => {
    session.activeAt = now
    recency.touch(session)
  }

  /** It is requested: its viewer may have another address since. */
  const see = (session: Session, identity: Identity, now: number): void => {
    session.lastSeen = now
    const { secret, address } = session
    if (secret === undefined || secret.cookie === '') {
      if (address !== identity.address) session.address = identity.address
    } else if (!hasCookieOf(session, identity)) {
      // Perhaps it is a neighbour's request, and the viewer has moved.
      if (secret.wasMissed || isOwn(session, identity)) return
      secret.wasMissed = true
      onCookie?.missed(session)
    } else {
      secret.wasSent = true
      const client = clientIn(identity.viewer)
      const elsewhere = cookies.sentFrom(secret.cookie, client, now)
      if (address !== identity.address) session.address = identity.address
      if (elsewhere?.isNew) onCookie?.moved(session, address)
      if (elsewhere?.sharedWith !== undefined)
        onCookie?.shared(cookies.of(secret.cookie), [elsewhere.sharedWith, client])
    }
  }

  /** Keeps alive what could answer the request, from this session on. */
  const keep = (from: Session | undefined, identity: Identity, now: number): void => {
    let seen = 0
    for (let at = from; at !== undefined; ) {
      if (seen++ === KEPT_AT_ONCE && !turns.take(ridingKeyOf(identity), now)) return
      const session = at
      at = session.older
      if (!answers(session, identity)) continue
      if (isIdle(session, now)) {
        end(session, 'idle')
        continue
      }
      if (isOwn(session, identity)) see(session, identity, now)
      touch(session, now)
    }
  }

  const admit = (session: Session, now: number): void => {
    const more = session.bytes + overhead
    const isFull = (): boolean => count >= max || bytes + more > maxBytes
    for (let last = recency.last(); last !== undefined && isFull(); last = recency.last())
      end(last, 'evicted')
    session.ended = false
    session.lastSeen = now
    count++
    bytes += more
    touch(session, now)
    putFirst(session)
    cookies.putLast(session)
    limit(session)
  }

  /** The session that answers a request with its cookie. */
  const findByCookie = (cookie: string, identity: Identity, now: number): Session | undefined => {
    const all = cookies.of(cookie)
    let found: Session | undefined
    for (let at = all.length - 1; at >= 0; at--) {
      const session = all[at]
      if (session === undefined || !answers(session, identity)) continue
      if (isIdle(session, now)) {
        end(session, 'idle')
        continue
      }
      touch(session, now)
      if (isOwn(session, identity)) see(session, identity, now)
      found ??= session
    }
    return found
  }

  return {
    find(identity, now) {
      const known = identity.cookie && findByCookie(identity.cookie, identity, now)
      if (known) {
        see(known, identity, now)
        known.requests++
        if (isOwn(known, identity)) cookies.putLast(known)
        return known
      }
      let at = newestOf.get(identity.viewer)
      while (at !== undefined) {
        const session = at
        at = session.older
        if (!answers(session, identity)) continue
        if (isIdle(session, now)) {
          end(session, 'idle')
          continue
        }
        keep(session.older, identity, now)
        see(session, identity, now)
        session.requests++
        touch(session, now)
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
      const { cookie = '' } = identity
      const known = cookies
        .of(cookie)
        .findLast((one) => answers(one, identity) && !isIdle(one, now) && counts(one))
      if (known !== undefined) return known
      for (let at = newestOf.get(identity.viewer); at !== undefined; at = at.older)
        if (answers(at, identity) && !isIdle(at, now) && counts(at)) return at
      return undefined
    },

    knows: (viewer, cookie) =>
      newestOf.has(viewer) || (cookie !== undefined && cookies.of(cookie).length > 0),
    withCookie: cookies.of,

    *of(viewer) {
      for (let at = newestOf.get(viewer); at !== undefined; at = at.older) yield at
    },

    open(session, now) {
      admit(session, now)
      onOpened?.(session)
    },

    admit,

    adopt(session) {
      const { lastSeen, activeAt } = session
      admit(session, activeAt)
      session.lastSeen = lastSeen
    },

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
        if (!isIdle(last, now)) break
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
