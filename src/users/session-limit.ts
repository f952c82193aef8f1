import { describeUser, whyOut } from '../limit/describe.ts'
import { look, withSeen } from '../limit/look.ts'
import { prune } from '../limit/prune.ts'
import { timesOf } from '../limit/times.ts'
import { leave, type User, withTerms } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import { createApplyRules } from './apply-rules.ts'
import { type Counted, createCount } from './count.ts'
import { createDisplacedSessions } from './displaced-sessions.ts'
import { createEndedElsewhere } from './ended-elsewhere.ts'
import { createEntering } from './entering.ts'
import { createGiveWay } from './give-way.ts'
import { type Consequences, createJudge } from './judge.ts'
import { limitedSessionOf } from './limited-session.ts'
import { createRefusedUsers } from './refused-users.ts'
import { rehearseLimit } from './rehearse-limit.ts'
import { createRejoin } from './rejoin.ts'
import { startRounds } from './rounds.ts'
import { createSharedStates } from './shared-states.ts'
import type { SessionLimitOptions, UserLimit } from './user-limit.ts'
import { createOwnStates, type UserStates, whenKnown } from './user-states.ts'
import { createUserTable, type KnownUser, seenOf } from './user-table.ts'

/** Milliseconds between two looks at users who may have too many plays. */
const REPORT = 5_000
/** The same with a shared store, as a part of SESSION_IDLE: each look is a command to it. */
const SHARED_REPORT = 1 / 4

export function createSessionLimit(options: SessionLimitOptions): UserLimit {
  const { clock, after, on, identify, idle, shared, unseen = 0 } = options
  const isReport = options.sessionLimit === 'report'
  const report = shared === undefined ? REPORT : idle * SHARED_REPORT
  const times = timesOf({ ...options, report: Math.max(report, unseen) })
  const users = createUserTable()
  const displaced = createDisplacedSessions(times.mark)
  const refusedUsers = createRefusedUsers()
  const waiting = new Map<string, Counted>()
  const endedElsewhere = createEndedElsewhere()

  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))
  const count = createCount(options)
  const entering = createEntering(times, isReport)
  const states: UserStates =
    shared === undefined
      ? createOwnStates(users, clock)
      : createSharedStates({ ...shared, users, clock, times })
  const giveWay = createGiveWay({ ...options, users, displaced, refusedUsers, waiting, limitedOf })
  const rejoin = createRejoin({ states, entering, limitedOf, times })
  const { apply, crowded, tidy } = createApplyRules({
    ...{ users, states, rejoin, giveWay, waiting, times, clock, on },
  })

  /** What nobody waits for. */
  const behind = (result: unknown): void => {
    if (result instanceof Promise) result.catch(on.internalError)
  }

  const refuse = (key: string): void => {
    refusedUsers.note(key, 'refused', clock())
    on.refused(key)
  }

  const put: Consequences['put'] = (session, { key, terms, sent }, coming) => {
    const isAdopted = coming.entered !== undefined
    // One that is resumed is in the table only after this.
    const mayEnd = isAdopted || !session.ended
    let isLater = false
    const hasPlace = apply(
      { key, rule: entering(limitedOf(session), terms, coming), tells: true },
      ({ refused }, known) => {
        const end = endedElsewhere.take(session.id)
        // An adopted session is not the request: that is refused later.
        if ((refused !== undefined || end !== undefined) && !isAdopted) refuse(key)
        known.sent = sent
        const isIn = (refused === undefined && end === undefined) || isReport
        // It may have ended here while other gates were heard.
        const isGone = isLater && mayEnd && session.ended
        if (isIn && isGone) drop(known, session, 'idle')
        else if (isIn) {
          waiting.delete(session.id)
          users.put(known, session)
          displaced.forget(session)
        }
        return isIn
      },
    )
    isLater = true
    return hasPlace
  }

  const lookAfter = (known: KnownUser): void => {
    const { key, sessions, toldAt } = known
    const isUntold = known.aloneAt !== undefined || known.repeat.length > 0
    const isSilent = [...sessions.values()].every(({ lastSeen }) => lastSeen < toldAt)
    // The others need not hear of it. Without a session here they know it all.
    if (states.isShared && !isUntold && isSilent) {
      tidy(known)
      return
    }
    behind(
      apply(
        {
          key,
          tells: true,
          rule(user, now, known) {
            const seen = seenOf(known)
            const { user: would, displaced: gone } = look(user, now, seen, times)
            const told = isReport ? prune(withSeen(user, now, seen, times), now, times) : would
            return { user: told, said: { displaced: gone } }
          },
        },
        () => {},
      ),
    )
  }

  const drop = ({ key }: KnownUser, session: Session, why: 'idle' | 'closed' | 'denied'): void => {
    const known = users.get(key)
    if (known !== undefined) users.take(known, session)
    const rule = (user: User, now: number) => ({
      user: leave(user, now, session.id, why, times),
      said: { displaced: [] },
    })
    behind(apply({ key, rule, repeats: rule }, () => {}))
  }

  const cut: Consequences['cut'] = (session, { key }) => {
    const known = users.getOrAdd(key)
    const { mark } = whyOut(known.user, clock(), limitedOf(session), times)
    giveWay.displace(known, session, mark?.by ?? '', 'other')
  }

  const judging = { users, displaced, waiting, times, count, isShared: states.isShared }
  const judge = createJudge(
    { ...judging, apply },
    { put, refuse, behind, wait: (session, one) => void waiting.set(session.id, one), cut },
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
        const rule = (user: User) => ({ user: withTerms(user, now.terms), said: { displaced: [] } })
        behind(apply({ key: known.key, rule }, () => {}))
      } else {
        const hasPlace = put(session, now, { entered: session.openedAt, seen: session.lastSeen })
        behind(whenKnown(hasPlace, (isIn) => isIn || cut(session, now)))
      }
    },

    displacedElsewhere(gone) {
      const known = users.of(gone)
      const session = known?.sessions.get(gone.id)
      if (known === undefined || session === undefined) return endedElsewhere.add(gone)
      giveWay.displace(known, session, gone.by, gone.cause, gone.left)
      tidy(known)
    },

    written: giveWay.written,

    limitedOf(session) {
      const known = users.of(session)
      const { key: user, sent } = known ?? waiting.get(session.id) ?? {}
      if (user === undefined) return undefined
      const entry = known?.user.entries.find(({ id }) => id === session.id)
      return { user, entered: entry?.entered ?? session.openedAt, ...sent }
    },

    rehearsal: () => rehearseLimit(limit, { ...judging, clock, displaced, entering, limitedOf, isReport }),

    ended(session, why) {
      waiting.delete(session.id)
      const known = users.of(session)
      if (known === undefined) return
      // It plays on at another gate.
      if (why === 'moved') users.take(known, session)
      else
        drop(
          known,
          session,
          why === 'denied' ? why : why === 'closed' || why === 'shared' ? 'closed' : 'idle',
        )
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
