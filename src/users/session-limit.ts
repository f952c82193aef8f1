import type { SessionLimit } from '../decision/limit.ts'
import { admit, type Coming } from '../limit/admit.ts'
import { describeUser, type UserPlays } from '../limit/describe.ts'
import type { DisplacedSession } from '../limit/displace.ts'
import { look, needsLook, withSeen } from '../limit/look.ts'
import { isEmpty, prune } from '../limit/prune.ts'
import { readTerms, type Terms, type TermsSettings } from '../limit/terms.ts'
import { type LimitSettings, timesOf } from '../limit/times.ts'
import { leave, nobody, withTerms } from '../limit/user.ts'
import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Grant } from '../verdict.ts'
import { createDisplacedSessions } from './displaced-sessions.ts'
import { createJudge, type Waiting } from './judge.ts'
import { createRefusedUsers, type RefusedUser } from './refused-users.ts'
import { createUserTable, type KnownUser, limitedSessionOf, seenOf } from './user-table.ts'

export interface SessionLimitOptions extends TermsSettings, Omit<LimitSettings, 'report'> {
  readonly identify: (subrequest: Subrequest) => Identity
  /** Users of one group have ids in common: the backends of one middleware. */
  readonly groupOf: (backend: string) => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Ends a session of the table for good. Resolves when that is written. */
  readonly end: (session: Session) => Promise<unknown>
  readonly on: LimitListeners
}

/** What the limit tells. With `SESSION_LIMIT=report` it tells what would happen. */
export interface LimitListeners {
  /** `by` is the id of the session that made it one too many. */
  displaced(session: Session, by: string, cause: DisplacedSession['cause']): void
  /** An opening, or a request of a displaced viewer, was refused. */
  refused(user: string): void
  /** A backend sent an `X-Max-Sessions` that is no number of sessions. */
  nonsense(backend: string, sent: string): void
  /** The user was displaced from so many addresses that the name must be shared: the limit is suspended. */
  shared(user: string): void
}

/** The limit for the decision, and what the operator may see of it. */
export interface UserLimit extends SessionLimit {
  /** Starts to look after the users; the result stops it. */
  start(): () => void
  /** What the user of a session plays; undefined for one without a limit. */
  describe(session: Session): (UserPlays & { readonly user: string }) | undefined
  refusedUsers(most: number): readonly RefusedUser[]
  /** How many users are known. */
  count(): number
}

/** Milliseconds between two looks at users who may have too many plays. */
const REPORT = 5_000

export function createSessionLimit(options: SessionLimitOptions): UserLimit {
  const { clock, after, end, on, identify, idle } = options
  const isReport = options.sessionLimit === 'report'
  const times = timesOf({ ...options, report: REPORT })
  const users = createUserTable()
  /** Users who may have too many plays. */
  const crowded = new Set<KnownUser>()
  const displaced = createDisplacedSessions(times.mark)
  const refusedUsers = createRefusedUsers()
  const probes = new Map<Session, Waiting>()
  const writing = new Set<Promise<unknown>>()
  /** Sessions whose displacement was reported only. */
  const reported = new WeakSet<Session>()

  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))

  const termsOf = (grant: Grant, backend: string): Terms | undefined => {
    const { terms, nonsense } = readTerms(grant, options)
    if (nonsense !== undefined) on.nonsense(backend, nonsense)
    return terms
  }
  const keyOf = (userId: string, backend: string): string => `${options.groupOf(backend)}\n${userId}`

  const endAll = (known: KnownUser, gone: readonly DisplacedSession[]): void => {
    for (const { id, by, cause } of gone) {
      const session = known.sessions.get(id)
      if (session === undefined || reported.has(session)) continue
      if (cause === 'other') refusedUsers.note(known.key, 'displaced', clock())
      on.displaced(session, by, cause)
      if (isReport) {
        reported.add(session)
        continue
      }
      users.take(known, session)
      displaced.add({ session, limited: limitedOf(session), user: known.key }, clock())
      const written = end(session).finally(() => writing.delete(written))
      writing.add(written)
    }
  }

  const keep = (known: KnownUser, user: KnownUser['user']): void => {
    const now = clock()
    if (user.sharedUntil > now && known.user.sharedUntil <= now) on.shared(known.key)
    known.user = user
    if (needsLook(user)) crowded.add(known)
    else crowded.delete(known)
    if (isEmpty(user) && known.sessions.size === 0) users.delete(known.key)
  }

  const refuse = (key: string): false => {
    refusedUsers.note(key, 'refused', clock())
    on.refused(key)
    return false
  }

  /** @returns whether it may play */
  const put = (key: string, session: Session, terms: Terms, coming: Coming): boolean => {
    const known = users.getOrAdd(key)
    const now = clock()
    const limited = limitedOf(session)
    const told = { ...coming, others: seenOf(known) }
    const result = admit(known.user, now, limited, terms, times, told)
    if (isReport) {
      if (result.refused !== undefined) refuse(key)
      endAll(known, result.displaced)
      const free = admit(known.user, now, limited, { ...terms, max: Number.POSITIVE_INFINITY }, times, told)
      users.put(known, session)
      keep(known, withTerms(free.user, terms))
      return true
    }
    if (result.refused === undefined) {
      users.put(known, session)
      displaced.forget(session)
    } else if (coming.entered !== undefined) {
      // It was allowed once, and others play in its place.
      displaced.add({ session, limited, user: key }, now)
    }
    endAll(known, result.displaced)
    keep(known, result.user)
    return result.refused === undefined || refuse(key)
  }

  const lookAfter = (known: KnownUser): void => {
    const now = clock()
    const seen = seenOf(known)
    const { user, displaced: gone } = look(known.user, now, seen, times)
    endAll(known, gone)
    keep(known, isReport ? prune(withSeen(known.user, now, seen, times), now, times) : user)
  }

  const drop = (known: KnownUser, session: Session, why: 'idle' | 'closed' | 'denied'): void => {
    users.take(known, session)
    keep(known, leave(known.user, clock(), session.id, why, times))
  }

  const shared = {
    users,
    displaced,
    probes,
    times,
    clock,
    termsOf,
    keyOf,
    isOff: options.sessionLimit === 'off',
  }
  const judge = createJudge(shared, {
    put,
    refuse(known, user) {
      keep(known, user)
      refuse(known.key)
    },
    wait: (session, waiting) => void probes.set(session, waiting),
    play: (session) => void probes.delete(session),
    end: (session) => void end(session),
  })

  const limit: UserLimit = {
    ...judge,
    probes,

    renew(session, grant, backend) {
      const terms = termsOf(grant, backend)
      const key = keyOf(session.userId, backend)
      const known = users.of(session)
      if (known !== undefined && (terms === undefined || known.key !== key)) drop(known, session, 'idle')
      if (terms === undefined || probes.has(session)) return
      if (known?.key === key) keep(known, withTerms(known.user, terms))
      else if (!put(key, session, terms, { entered: session.openedAt, seen: session.lastSeen }))
        void end(session)
    },

    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),

    limitedOf(session) {
      const known = users.of(session)
      const entry = known?.user.entries.find(({ id }) => id === session.id)
      const terms = known?.user.terms
      return known && entry && terms && { user: known.key, entered: entry.entered, ...terms }
    },

    rehearsal: () => ({
      ...limit,
      ...createJudge(shared, {
        put(key, session, terms, coming) {
          const known = users.get(key)
          const others = known === undefined ? [] : seenOf(known)
          const told = { ...coming, others }
          const { refused } = admit(known?.user ?? nobody, clock(), limitedOf(session), terms, times, told)
          return isReport || refused === undefined
        },
        refuse() {},
        wait() {},
        play() {},
        end() {},
      }),
      renew() {},
      ended() {},
      written: () => undefined,
    }),

    ended(session, why) {
      probes.delete(session)
      const known = users.of(session)
      if (known !== undefined) drop(known, session, why === 'closed' || why === 'denied' ? why : 'idle')
    },

    start() {
      let cancel = (): void => {}
      const round = (): void => {
        for (const known of crowded) lookAfter(known)
        const slice = Math.ceil((users.count() * REPORT) / (idle / 2))
        for (const known of users.next(slice)) if (!crowded.has(known)) lookAfter(known)
        cancel = after(REPORT, round)
      }
      cancel = after(REPORT, round)
      return () => cancel()
    },

    describe(session) {
      const known = users.of(session)
      return known && { user: known.key, ...describeUser(known.user, clock(), times) }
    },
    refusedUsers: (most) => refusedUsers.list(clock(), most),
    count: users.count,
  }
  return limit
}
