import { answers } from './answers.ts'
import { createCookieIndex } from './cookie-index.ts'
import type { Identity } from './identity.ts'
import { createRecency, createTurns } from './recency.ts'
import { isOwn, ridingKeyOf } from './scope.ts'
import { type CookieWatch, createSee, PAUSE } from './see.ts'
import type { Session, SessionEnd } from './session.ts'
import { createViewerLists } from './viewer-lists.ts'

export interface SessionTableOptions {
  /** Most sessions held; beyond it the least recently used one is evicted. */
  readonly max: number
  /** Most bytes that they take; one session alone may take more. */
  readonly maxBytes: number
  /** Bytes that others keep for each session; 0 unless given. */
  readonly overhead?: number
  /** A session ends after so many milliseconds without a request. */
  readonly idle: number
  /** How old the news of an adopted session may be: another gate may have served it meanwhile; 0 unless given. */
  readonly news?: number
  /** For so many milliseconds nginx may answer in place of the gate now. */
  readonly unseen?: () => number
  readonly onOpened?: (session: Session) => void
  /** Called once for each opened session, after it has left the table. */
  readonly onEnded?: (session: Session, why: SessionEnd) => void
  readonly onCookie?: CookieWatch
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
  /** Gives a session of the table these cookies in place of those that it has. */
  setCookies(session: Session, cookies: readonly string[]): void
  /** See `CookieIndex`. */
  isSecondPlace(cookie: string, client: string, now: number): boolean
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

/** Live sessions, bounded. The first match of a walk through a viewer's list is the most recent one. */
export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { max, maxBytes, idle, onOpened, onEnded, onCookie, overhead = 0 } = options
  const { news = 0, unseen = () => 0 } = options
  const viewers = createViewerLists()
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
    viewers.unlink(session)
    cookies.remove(session)
    // Whoever still holds it does not hold the others.
    session.older = undefined
  }

  const end = (session: Session, why: SessionEnd): void => {
    if (session.ended) return
    handOver(session)
    onEnded?.(session, why)
  }

  const isIdle = (session: Session, now: number): boolean => now - session.activeAt > idle

  const touch = (session: Session, now: number): void => {
    session.activeAt = now
    recency.touch(session)
  }

  /** Adopted sessions that were not requested with a pause since. */
  const adopted = new WeakSet<Session>()
  const see = createSee(cookies, onCookie, (session, now) => {
    const unheard = adopted.delete(session) ? news : 0
    return now - session.lastSeen >= PAUSE + unheard + unseen()
  })

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
    viewers.putFirst(session)
    cookies.putLast(session)
    const overflow = viewers.overflow(session.viewer, MAX_PER_VIEWER)
    if (overflow !== undefined) end(overflow, 'evicted')
  }

  /** The session that answers a request with its cookie. */
  const findByCookie = (cookie: string, identity: Identity, now: number): Session | undefined => {
    // A second place has a session of its own, and keeps no other alive.
    const only = cookies.of(cookie).findLast((one) => one.secret?.onlyFrom && answers(one, identity))
    if (only !== undefined && isIdle(only, now)) end(only, 'idle')
    const all = only === undefined || only.ended ? cookies.of(cookie) : [only]
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
        // One whose cookie is sent from two places may have been ended now.
        if (!known.ended) {
          if (isOwn(known, identity)) cookies.putLast(known)
          return known
        }
      }
      let at = viewers.newest(identity.viewer)
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
        if (viewers.newest(session.viewer) !== session && isOwn(session, identity)) {
          viewers.unlink(session)
          viewers.putFirst(session)
        }
        return session
      }
      return undefined
    },

    keep(identity, now) {
      if (count > 0) keep(viewers.newest(identity.viewer), identity, now)
    },

    peek(identity, now, counts) {
      const { cookie = '' } = identity
      const known = cookies
        .of(cookie)
        .findLast((one) => answers(one, identity) && !isIdle(one, now) && counts(one))
      if (known !== undefined) return known
      for (let at = viewers.newest(identity.viewer); at !== undefined; at = at.older)
        if (answers(at, identity) && !isIdle(at, now) && counts(at)) return at
      return undefined
    },

    knows: (viewer, cookie) => viewers.has(viewer) || (cookie !== undefined && cookies.of(cookie).length > 0),
    withCookie: cookies.of,
    setCookies(session, keys) {
      if (session.secret === undefined || session.ended) return
      cookies.remove(session)
      session.secret.cookies = keys
      session.secret.sent = session.secret.sent.filter((key) => keys.includes(key))
      cookies.putLast(session)
    },
    isSecondPlace: cookies.isSecondPlace,

    of: viewers.of,

    open(session, now) {
      admit(session, now)
      onOpened?.(session)
    },

    admit,

    adopt(session) {
      const { lastSeen, activeAt } = session
      admit(session, activeAt)
      adopted.add(session)
      session.lastSeen = lastSeen
    },

    end,
    handOver,

    overdue(viewer, now) {
      const found: Session[] = []
      for (let at = viewers.newest(viewer); at !== undefined; at = at.older)
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
