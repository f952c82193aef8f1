import { admit, type Coming } from '../limit/admit.ts'
import { describeUser, whyOut } from '../limit/describe.ts'
import type { DisplacedSession } from '../limit/displace.ts'
import { look, needsLook, withSeen } from '../limit/look.ts'
import { isEmpty, prune } from '../limit/prune.ts'
import { MOST_SESSIONS, type Terms } from '../limit/terms.ts'
import { timesOf } from '../limit/times.ts'
import { type Cause, type LimitedSession, leave, nobody, type User, withTerms } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import { type Counted, createCount } from './count.ts'
import { createDisplacedSessions } from './displaced-sessions.ts'
import { type Consequences, createJudge } from './judge.ts'
import { limitedSessionOf } from './limited-session.ts'
import { createRefusedUsers } from './refused-users.ts'
import { startRounds } from './rounds.ts'
import type { SessionLimitOptions, UserLimit } from './user-limit.ts'
import { createUserTable, type KnownUser, seenOf } from './user-table.ts'

/** Milliseconds between two looks at users who may have too many plays. */
const REPORT = 5_000

export function createSessionLimit(options: SessionLimitOptions): UserLimit {
  const { clock, after, end, on, identify, idle, unseen = 0 } = options
  const isReport = options.sessionLimit === 'report'
  const times = timesOf({ ...options, report: Math.max(REPORT, unseen) })
  const users = createUserTable()
  const crowded = new Set<KnownUser>()
  const displaced = createDisplacedSessions(times.mark)
  const refusedUsers = createRefusedUsers()
  const waiting = new Map<string, Counted>()
  const writing = new Set<Promise<unknown>>()
  /** Sessions whose displacement was reported only. */
  const reported = new WeakSet<Session>()

  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))

  const count = createCount(options)

  /** Ends a session that others play in place of. */
  const displace = (known: KnownUser, session: Session, by: string, cause: Cause, left = false): void => {
    if (reported.has(session)) return
    if (cause === 'other' && !left) refusedUsers.note(known.key, 'displaced', clock())
    on.displaced(session, by, cause)
    if (isReport) {
      reported.add(session)
      return
    }
    users.take(known, session)
    waiting.delete(session.id)
    displaced.add({ session, limited: limitedOf(session), user: known.key }, clock())
    const written = end(session).finally(() => writing.delete(written))
    writing.add(written)
  }

  const endAll = (known: KnownUser, gone: readonly DisplacedSession[]): void => {
    for (const { id, by, cause, left } of gone) {
      const session = known.sessions.get(id)
      if (session !== undefined) displace(known, session, by, cause, left)
    }
  }

  const keep = (known: KnownUser, user: User): void => {
    const now = clock()
    if (user.sharedUntil > now && known.user.sharedUntil <= now) on.shared(known.key)
    known.user = user
    if (known.sessions.size > user.entries.length) forgetUncounted(known, now)
    if (needsLook(user)) crowded.add(known)
    else crowded.delete(known)
    if (isEmpty(user) && known.sessions.size === 0) users.delete(known.key)
  }

  /** What the rules have forgotten enters anew with its next request. Of a shared name nothing counts. */
  const forgetUncounted = (known: KnownUser, now: number): void => {
    const { key, sent, user } = known
    const entered = new Set(user.entries.map(({ id }) => id))
    for (const session of [...known.sessions.values()]) {
      if (entered.has(session.id)) continue
      users.take(known, session)
      if (user.terms !== undefined && user.sharedUntil <= now)
        waiting.set(session.id, { key, terms: user.terms, sent })
    }
  }

  const refuse = (key: string): void => {
    refusedUsers.note(key, 'refused', clock())
    on.refused(key)
  }

  /** The others of a user whom everybody has as their name are not looked at: there may be 100,000. */
  const othersOf = (known: KnownUser, now: number) => (known.user.sharedUntil > now ? [] : seenOf(known))

  const put: Consequences['put'] = (session, { key, terms, sent }, coming) => {
    const known = users.getOrAdd(key)
    const now = clock()
    const limited = limitedOf(session)
    const told = { ...coming, others: othersOf(known, now) }
    const { user, refused, displaced: gone } = admit(known.user, now, limited, terms, times, told)
    // An adopted session is not the request: that is refused later.
    if (refused !== undefined && coming.entered === undefined) refuse(key)
    known.sent = sent
    if (refused === undefined || isReport) {
      waiting.delete(session.id)
      users.put(known, session)
      displaced.forget(session)
    }
    endAll(known, gone)
    keep(known, isReport ? inReport(known, user, limited, terms, told) : user)
    return refused === undefined || isReport
  }

  /** The user with all their plays, whatever the limit would have done. */
  const inReport = (known: KnownUser, would: User, limited: LimitedSession, terms: Terms, coming: Coming) => {
    const { cuts, sharedUntil } = would
    const free = admit(known.user, clock(), limited, { ...terms, max: MOST_SESSIONS }, times, coming)
    return { ...withTerms(free.user, terms), cuts, sharedUntil }
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

  const cut: Consequences['cut'] = (session, { key }) => {
    const known = users.getOrAdd(key)
    const { mark } = whyOut(known.user, clock(), limitedOf(session), times)
    displace(known, session, mark?.by ?? '', 'other')
  }

  const judging = { users, displaced, waiting, times, count }
  const judge = createJudge(judging, {
    put,
    refuse(known, user) {
      keep(known, user)
      refuse(known.key)
    },
    wait: (session, one) => void waiting.set(session.id, one),
    cut,
  })

  const limit: UserLimit = {
    ...judge,
    waiting,

    renew(session, grant, backend) {
      const now = count.by(session, grant, backend)
      const known = users.of(session)
      if (known !== undefined && known.key !== now?.key) drop(known, session, 'idle')
      if (now === undefined) waiting.delete(session.id)
      else if (waiting.has(session.id)) waiting.set(session.id, now)
      else if (known?.key === now.key) {
        known.sent = now.sent
        keep(known, withTerms(known.user, now.terms))
      } else if (!put(session, now, { entered: session.openedAt, seen: session.lastSeen })) cut(session, now)
    },

    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),

    limitedOf(session) {
      const known = users.of(session)
      const { key: user, sent } = known ?? waiting.get(session.id) ?? {}
      if (user === undefined) return undefined
      const entry = known?.user.entries.find(({ id }) => id === session.id)
      return { user, entered: entry?.entered ?? session.openedAt, ...sent }
    },

    rehearsal: () => ({
      ...limit,
      ...createJudge(
        { ...judging, displaced: { find: displaced.peek } },
        {
          put(session, { key, terms }, coming) {
            const known = users.get(key)
            const others = known === undefined ? [] : othersOf(known, clock())
            const told = { ...coming, others }
            const { refused } = admit(known?.user ?? nobody, clock(), limitedOf(session), terms, times, told)
            return isReport || refused === undefined
          },
          refuse() {},
          wait() {},
          cut() {},
        },
      ),
      renew() {},
      ended() {},
      written: () => undefined,
    }),

    ended(session, why) {
      waiting.delete(session.id)
      const known = users.of(session)
      if (known !== undefined) drop(known, session, why === 'closed' || why === 'denied' ? why : 'idle')
    },

    start: () => startRounds({ users, crowded, report: REPORT, every: idle / 2, after, look: lookAfter }),

    describe(session) {
      const known = users.of(session)
      return known && { user: known.key, ...describeUser(known.user, clock(), times) }
    },
    whyOut(identity) {
      const one = displaced.peek(identity, clock())
      const known = one && users.get(one.user)
      if (one === undefined || known === undefined) return undefined
      const { mark, holds } = whyOut(known.user, clock(), one.limited, times)
      return {
        ...describeUser(known.user, clock(), times),
        user: known.key,
        session: one.session,
        by: mark?.by ?? holds[0]?.by ?? '',
        heldUntil: Math.max(0, ...holds.map((hold) => Math.max(hold.urlUntil, hold.comeBackUntil))),
      }
    },
    refusedUsers: (most) => refusedUsers.list(clock(), most),
    count: users.count,
  }
  return limit
}
