import { admit, type Coming, type Refusal } from '../limit/admit.ts'
import { describeUser, whyOut } from '../limit/describe.ts'
import type { DisplacedSession } from '../limit/displace.ts'
import { look, needsLook, withSeen } from '../limit/look.ts'
import { isEmpty, prune } from '../limit/prune.ts'
import { MOST_SESSIONS, type Terms } from '../limit/terms.ts'
import { timesOf } from '../limit/times.ts'
import { type Cause, type LimitedSession, leave, type User, withTerms } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import { type Counted, createCount } from './count.ts'
import { createDisplacedSessions } from './displaced-sessions.ts'
import { createEndedElsewhere } from './ended-elsewhere.ts'
import { type Consequences, createJudge } from './judge.ts'
import { limitedSessionOf } from './limited-session.ts'
import { createRefusedUsers } from './refused-users.ts'
import { createRejoin } from './rejoin.ts'
import { startRounds } from './rounds.ts'
import { createSharedStates } from './shared-states.ts'
import type { SessionLimitOptions, UserLimit } from './user-limit.ts'
import { createOwnStates, type Made, type UserStates, whenKnown } from './user-states.ts'
import { createUserTable, type KnownUser, seenOf } from './user-table.ts'

/** Milliseconds between two looks at users who may have too many plays. */
const REPORT = 5_000
/** The same with a shared store, as a part of SESSION_IDLE: each look is a command to it. */
const SHARED_REPORT = 1 / 4

/** What the rules say of a session that comes. */
interface Entered {
  readonly refused: Refusal | undefined
  readonly displaced: readonly DisplacedSession[]
}

export function createSessionLimit(options: SessionLimitOptions): UserLimit {
  const { clock, after, on, identify, idle, shared, unseen = 0 } = options
  const isReport = options.sessionLimit === 'report'
  const report = shared === undefined ? REPORT : idle * SHARED_REPORT
  const times = timesOf({ ...options, report: Math.max(report, unseen) })
  const users = createUserTable()
  const crowded = new Set<KnownUser>()
  const displaced = createDisplacedSessions(times.mark)
  const refusedUsers = createRefusedUsers()
  const waiting = new Map<string, Counted>()
  const writing = new Set<Promise<unknown>>()
  const endedElsewhere = createEndedElsewhere()
  /** Sessions whose displacement was reported only. */
  const reported = new WeakSet<Session>()

  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))
  const count = createCount(options)
  const states: UserStates =
    shared === undefined
      ? createOwnStates(users, clock)
      : createSharedStates({ ...shared, users, clock, times })
  const { rejoin, endedOf } = createRejoin({ states, limitedOf, times })

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
    const written = options.end(session, { why: 'displaced', by }).finally(() => writing.delete(written))
    writing.add(written)
  }

  const endAll = (known: KnownUser, gone: readonly DisplacedSession[]): void => {
    for (const one of gone) {
      const session = known.sessions.get(one.id)
      if (session !== undefined) displace(known, session, one.by, one.cause, one.left)
      else if (!isReport) shared?.tell(one)
    }
  }

  /** After a change: who is looked at, and what the rules do not know any more. */
  const settle = (known: KnownUser, before: User): void => {
    const now = clock()
    const { user } = known
    if (user.sharedUntil > now && before.sharedUntil <= now) on.shared(known.key)
    for (const { session, mark } of endedOf(known)) {
      if (mark.why === 'displaced') displace(known, session, mark.by, 'other')
      else {
        users.take(known, session)
        void options.end(session, { why: mark.why })
      }
    }
    if (states.isShared || known.sessions.size > user.entries.length) forgetUncounted(known, now)
    if (needsLook(user, states.isShared)) crowded.add(known)
    else crowded.delete(known)
    known.toldAt = now
    // The store has what others must know.
    const isKept = states.isShared ? known.isAlone || known.repeat.length > 0 : !isEmpty(user)
    if (known.sessions.size === 0 && !isKept) users.delete(known.key)
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
  const othersOf = (known: KnownUser, user: User, now: number) =>
    user.sharedUntil > now ? [] : seenOf(known)

  const enter = (
    limited: LimitedSession,
    terms: Terms,
    coming: Coming,
    [user, now, known]: [User, number, KnownUser],
  ): Made<Entered> => {
    const told = { ...coming, others: othersOf(known, user, now) }
    const own = rejoin(user, now, known)
    const { user: would, refused, displaced: gone } = admit(own.user, now, limited, terms, times, told)
    const said = { refused, displaced: [...own.displaced, ...gone] }
    return { user: isReport ? inReport(own.user, would, limited, terms, told) : would, said }
  }

  /** The user with all their plays, whatever the limit would have done. */
  const inReport = (user: User, would: User, limited: LimitedSession, terms: Terms, coming: Coming) => {
    const { cuts, sharedUntil } = would
    const free = admit(user, clock(), limited, { ...terms, max: MOST_SESSIONS }, times, coming)
    return { ...withTerms(free.user, terms), cuts, sharedUntil }
  }

  const put: Consequences['put'] = (session, { key, terms, sent }, coming) => {
    const limited = limitedOf(session)
    const isAdopted = coming.entered !== undefined
    return states.change(
      key,
      (...state) => enter(limited, terms, coming, state),
      ({ refused, displaced: gone }, known, before) => {
        const end = endedElsewhere.take(session.id)
        // An adopted session is not the request: that is refused later.
        if ((refused !== undefined || end !== undefined) && !isAdopted) refuse(key)
        known.sent = sent
        const isIn = (refused === undefined && end === undefined) || isReport
        // Other gates may have been heard while an adopted session ended here.
        const isGone = states.isShared && isAdopted && session.ended
        if (isIn && !isGone) {
          waiting.delete(session.id)
          users.put(known, session)
          displaced.forget(session)
        }
        endAll(known, gone)
        settle(known, before)
        if (isIn && isGone) drop(known, session, 'idle')
        return isIn
      },
    )
  }

  const lookAfter = ({ key, sessions, toldAt }: KnownUser): void => {
    const isSilent = [...sessions.values()].every(({ lastSeen }) => lastSeen <= toldAt)
    if (states.isShared && sessions.size > 0 && isSilent) return
    void states.change(
      key,
      (user, now, known) => {
        const seen = seenOf(known)
        const own = rejoin(user, now, known)
        const { user: would, displaced: gone } = look(own.user, now, seen, times)
        const told = isReport ? prune(withSeen(own.user, now, seen, times), now, times) : would
        return { user: told, said: [...own.displaced, ...gone] }
      },
      (gone, known, before) => {
        endAll(known, gone)
        settle(known, before)
      },
    )
  }

  const drop = ({ key }: KnownUser, session: Session, why: 'idle' | 'closed' | 'denied'): void => {
    const known = users.get(key)
    if (known !== undefined) users.take(known, session)
    const gone = (user: User, now: number) => ({ user: leave(user, now, session.id, why, times), said: null })
    void states.change(key, gone, (_, changed, before) => settle(changed, before), true)
  }

  const cut: Consequences['cut'] = (session, { key }) => {
    const known = users.getOrAdd(key)
    const { mark } = whyOut(known.user, clock(), limitedOf(session), times)
    displace(known, session, mark?.by ?? '', 'other')
  }

  const judging = { users, displaced, waiting, times, count }
  const judge = createJudge(
    { ...judging, states },
    {
      put,
      refused(known) {
        settle(known, known.user)
        refuse(known.key)
      },
      wait: (session, one) => void waiting.set(session.id, one),
      cut,
    },
  )

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
        const renewed = (user: User) => ({ user: withTerms(user, now.terms), said: null })
        void states.change(known.key, renewed, (_, changed, before) => settle(changed, before))
      } else {
        const hasPlace = put(session, now, { entered: session.openedAt, seen: session.lastSeen })
        void whenKnown(hasPlace, (isIn) => isIn || cut(session, now))
      }
    },

    displacedElsewhere(gone) {
      const known = users.of(gone)
      const session = known?.sessions.get(gone.id)
      if (known === undefined || session === undefined) endedElsewhere.add(gone)
      else displace(known, session, gone.by, gone.cause, gone.left)
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
        {
          ...judging,
          displaced: { find: displaced.peek },
          states: {
            isShared: states.isShared,
            change(key, rule, then) {
              const known = users.get(key) ?? createUserTable().getOrAdd(key)
              return then(rule(known.user, clock(), known).said, known, known.user)
            },
          },
        },
        {
          put(session, { key, terms }, coming) {
            const known = users.get(key) ?? createUserTable().getOrAdd(key)
            const { user } = known
            const { said } = enter(limitedOf(session), terms, coming, [user, clock(), known])
            return isReport || said.refused === undefined
          },
          refused() {},
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
      if (known === undefined) return
      // It plays on at another gate.
      if (why === 'moved') users.take(known, session)
      else drop(known, session, why === 'closed' || why === 'denied' ? why : 'idle')
    },

    start: () => startRounds({ users, crowded, report, every: idle / 2, after, look: lookAfter }),

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
