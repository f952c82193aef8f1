import { LRUCache } from 'lru-cache'
import type { Session } from '../session/session.ts'
import type { Counted } from './judge.ts'
import type { SessionLimitOptions } from './limit-options.ts'
import { networkOf } from './plays.ts'
import type { createPutOutSessions } from './put-out.ts'
import type { Gone } from './rules.ts'
import { type Cause, type LimitedSession, MINUTE } from './user.ts'
import type { KnownUser, Users } from './users.ts'

export interface GiveWayOptions extends Pick<SessionLimitOptions, 'clock' | 'end' | 'on' | 'stored'> {
  readonly users: Pick<Users, 'take'>
  readonly putOut: Pick<ReturnType<typeof createPutOutSessions>, 'add'>
  /** By the id of the session. */
  readonly waiting: Map<string, Counted>
  readonly limitedOf: (session: Session) => LimitedSession
  readonly isReport: boolean
}

/** Ends the sessions of who was put out. With `SESSION_LIMIT=report` it tells who would be. */
export function createGiveWay(options: GiveWayOptions) {
  const { users, putOut, waiting, limitedOf, isReport, clock, on, stored } = options
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
    waiting.delete(session.id)
    putOut.add({ session, limited, user: known.key, by, at: clock() })
    const written = options
      .end(session, { why: 'displaced', by, cause })
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  return {
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
    refuse(user: string): void {
      refusedUsers.refused(user, clock())
      on.refused(user)
    },
    refusedUsers: (most: number) => refusedUsers.list(clock(), most),
    /** Resolves when not even a crash brings back what has given way; undefined where nothing waits. */
    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),
  }
}

/** A user who was refused or put out because others played under their name. */
export interface RefusedUser {
  readonly user: string
  /** Times that a request was refused. */
  readonly refused: number
  /** Times that a play was ended. */
  readonly displaced: number
  /** They were put out at so many networks within a minute that the name must be shared. */
  readonly isShared: boolean
  /** Milliseconds of the monotonic clock. */
  readonly last: number
}

const MOST_USERS = 1_000
const HOUR = 60 * MINUTE
/** A user who is put out at more networks within a minute is a shared name. */
const MOST_NETWORKS = 10

interface Known extends RefusedUser {
  /** When they were put out last, by network. */
  readonly networks: ReadonlyMap<string, number>
}

/** Users who are refused again and again: a list for the operator. */
export function createRefusedUsers() {
  const users = new LRUCache<string, Known>({ max: MOST_USERS })
  const knownAs = (user: string, now: number): Known => {
    const known = users.get(user)
    if (known !== undefined && now - known.last <= HOUR) return { ...known, last: now }
    return { user, refused: 0, displaced: 0, isShared: false, last: now, networks: new Map() }
  }
  return {
    refused(user: string, now: number): void {
      const known = knownAs(user, now)
      users.set(user, { ...known, refused: known.refused + 1 })
    },
    /** Was put out at this address. Returns whether it is known only now that the name is shared. */
    displaced(user: string, address: string, now: number): boolean {
      const known = knownAs(user, now)
      const recent = [...known.networks].filter(([, at]) => now - at < MINUTE)
      const networks = new Map(
        [...recent, [networkOf(address), now]].slice(-MOST_NETWORKS - 1) as [string, number][],
      )
      const isShared = known.isShared || networks.size > MOST_NETWORKS
      users.set(user, { ...known, displaced: known.displaced + 1, networks, isShared })
      return isShared && !known.isShared
    },
    /** Those of the last hour, the most refused first. */
    list: (now: number, most: number): RefusedUser[] =>
      [...users.values()]
        .filter(({ last }) => now - last <= HOUR)
        .sort((a, b) => b.refused + b.displaced - a.refused - a.displaced || b.last - a.last)
        .slice(0, most)
        .map(({ networks: _, ...user }) => user),
  }
}
