import { LRUCache } from 'lru-cache'
import { answers } from '../session/answers.ts'
import type { Identity } from '../session/identity.ts'
import { covers } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { SessionLimitOptions } from './limit-options.ts'
import { createRefusedUsers } from './refused-users.ts'
import type { Gone } from './rules.ts'
import type { Cause, LimitedSession } from './user.ts'
import type { KnownUser, Users } from './users.ts'

/** Ends the sessions of who was put out. With `SESSION_LIMIT=report` it tells who would be. */
export function createGiveWay(
  { sessionLimit, clock, idle, end, on, stored }: SessionLimitOptions,
  users: Pick<Users, 'of' | 'take' | 'tidy'>,
  limitedOf: (session: Session) => LimitedSession,
) {
  const isReport = sessionLimit === 'report'
  const putOut = createPutOutSessions(2 * idle + 60_000)
  const refusedUsers = createRefusedUsers()
  const writing = new Set<Promise<unknown>>()
  const reported = new WeakSet<Session>()

  /** Ends a session of this gate. */
  const displace = (known: KnownUser, session: Session, by: string, cause: Cause): void => {
    if (reported.has(session)) return
    on.displaced(session, by, cause)
    if (isReport) {
      reported.add(session)
      return
    }
    const limited = known.sessions.get(session.id)?.limited ?? limitedOf(session)
    users.take(known, session)
    putOut.add({ session, limited, user: known.key, by, at: clock() })
    const written = end(session, { why: 'displaced', by, cause }).finally(() => writing.delete(written))
    writing.add(written)
  }

  return {
    putOut,
    displace,
    /** Ends all these; those of other gates there. */
    endAll(known: KnownUser, gone: readonly Gone[]): void {
      for (const one of gone) {
        const session = known.sessions.get(one.id)?.session
        const isTold = session !== undefined && reported.has(session)
        if (one.cause !== 'beside' && !one.left && !isTold)
          if (refusedUsers.displaced(known.key, one.address, clock())) on.shared(known.key)
        if (session !== undefined) displace(known, session, one.by, one.cause)
        else if (!isReport && stored?.texts.isShared) stored.endElsewhere(one)
      }
      // What another gate has put out, whether this one has heard of it or not.
      for (const { id, by, cause } of known.user.outs) {
        const session = known.sessions.get(id)?.session
        if (session !== undefined) displace(known, session, by, cause)
      }
    },
    /** Another gate says that a session was put out, which this gate may have. */
    displacedElsewhere({ id, by, cause }: Pick<Gone, 'id' | 'by' | 'cause'>): void {
      const known = users.of({ id })
      const session = known?.sessions.get(id)?.session
      if (known === undefined || session === undefined) return
      displace(known, session, by, cause)
      users.tidy(known)
    },
    refuse(user: string): void {
      refusedUsers.refused(user, clock())
      on.refused(user)
    },
    refusedUsers: (most: number) => refusedUsers.list(clock(), most),
    /** Resolves when not even a crash brings back what has given way; undefined where nothing waits. */
    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),
  }
}

/** A session that the limit has ended. */
interface PutOut {
  readonly session: Session
  readonly limited: LimitedSession
  readonly user: string
  /** The session that made it one too many; empty where that is not known. */
  readonly by: string
  /** Milliseconds of the monotonic clock. */
  readonly at: number
}

/** Most viewers with such sessions, most sessions of each, and the bytes of all. */
const MOST_VIEWERS = 10_000
const MOST_OF_ONE = 16
const MOST_BYTES = 16 * 1_048_576
/** What the rules know of a session takes about as many; the session says its own. */
const OVERHEAD = 600

/**
 * What the limit has ended, so that its viewers get the right reason, and no backend is asked about them.
 * @param lasts how long each is known after it was put out or tried last, in milliseconds
 */
export function createPutOutSessions(lasts: number) {
  const named = new LRUCache<string, { readonly all: readonly PutOut[]; readonly at: number }>({
    max: MOST_VIEWERS,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ all }) => all.reduce((sum, { session }) => sum + session.bytes + OVERHEAD, 1),
  })
  /** A session is found by its viewer, and by the cookies that it had. */
  const namesOf = (viewer: string, cookies: readonly string[] = []) => [
    ...cookies.map((cookie) => `cookie ${cookie}`),
    viewer,
  ]

  return {
    add(one: PutOut): void {
      for (const name of namesOf(one.session.viewer, one.session.secret?.cookies)) {
        const others = named.get(name)?.all ?? []
        named.set(name, { all: [...others, one].slice(-MOST_OF_ONE), at: one.at })
      }
    },
    /** The latest one that would answer this request, which counts as a try unless `isPeek`. */
    find(identity: Identity, now: number, isPeek: boolean): PutOut | undefined {
      if (named.size === 0) return undefined
      const { viewer, cookie } = identity
      for (const name of namesOf(viewer, cookie === undefined ? [] : [cookie])) {
        const known = named.peek(name)
        if (known === undefined || now - known.at > lasts) continue
        const found = known.all.findLast(({ session }) => answers(session, identity))
        if (found === undefined) continue
        if (!isPeek) named.set(name, { ...known, at: now })
        return found
      }
      return undefined
    },
    /** The viewer has opened this session: what it answers is no matter of those that were put out. */
    forget({ viewer, secret, scope }: Session): void {
      for (const name of namesOf(viewer, secret?.cookies)) {
        const known = named.get(name)
        const all = known?.all.filter((one) => !covers(scope, one.session.scope)) ?? []
        if (known !== undefined && all.length > 0) named.set(name, { ...known, all })
        else named.delete(name)
      }
    },
  }
}
