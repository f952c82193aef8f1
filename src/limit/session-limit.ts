import type { Limited, SessionLimit } from '../decision/limit.ts'
import type { Identity } from '../session/identity.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import { describeUser, type UserPlays, whyOut } from './describe.ts'
import { createGiveWay } from './give-way.ts'
import { type Coming, type Counted, createJudge, type JudgeOptions, whenKnown } from './judge.ts'
import type { SessionLimitOptions } from './limit-options.ts'
import { limitedSessionOf } from './limited-session.ts'
import { createPutOutSessions } from './put-out.ts'
import { change, type Event, type Gone, type Outcome } from './rules.ts'
import { readTerms, type Terms } from './terms.ts'
import type { LimitSettings } from './user.ts'
import { createUsers, type KnownUser, type Rule, type Sent, startRounds } from './users.ts'

/** A session that was put out, and what its user plays. Times are milliseconds of the monotonic clock. */
export interface PutOutView extends UserPlays {
  readonly user: string
  readonly session: Session
  /** The session that made it one too many; empty where that is not known. */
  readonly by: string
  readonly at: number
  /** It stays out until then, while there is no room; undefined: it may come back. */
  readonly until: number | undefined
}

/** The limit for the decision, and what the operator may see of it. */
export type UserLimit = ReturnType<typeof createSessionLimit>

/** The longest time between two reports to other gates; milliseconds. */
const REPORT = 30_000
/** After a start, what a folder says may be old for so long; milliseconds. */
const YOUNG = 60_000

export function createSessionLimit(options: SessionLimitOptions) {
  const { clock, after, on, identify, idle, stored, unseen = () => 0 } = options
  const isReport = options.sessionLimit === 'report'
  const report = Math.min(REPORT, idle / 4)
  const began = clock()
  const settings = (): LimitSettings => {
    const isOld = stored !== undefined && (stored.texts.isShared || clock() - began < YOUNG)
    return { idle, report: isOld ? report : 0, gate: stored?.gate ?? '', unseen: unseen(), isReport }
  }
  const users = createUsers({ clock, settings, texts: stored?.texts, onAlone: () => stored?.onAlone() })
  const putOut = createPutOutSessions(2 * idle + 60_000)
  const waiting = new Map<string, Counted>()
  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))
  const { displace, endAll, refuse, written, refusedUsers } = createGiveWay({
    ...{ ...options, users, putOut, waiting, limitedOf, isReport },
  })

  const count: JudgeOptions['count'] = (session, known, { maxSessions, unique }, backend = '') => {
    const { terms, nonsense } = readTerms({ userId: session.userId, maxSessions, unique }, options)
    if (nonsense !== undefined && known === undefined) on.nonsense(backend, nonsense)
    const key = known ?? `${options.groupOf(backend)}\n${session.userId}`
    const sent = {
      ...(maxSessions !== undefined && { maxSessions }),
      ...(unique !== undefined && { unique }),
    }
    return terms && { key, terms, sent }
  }

  /** What nobody waits for. */
  const behind = (result: unknown): void => {
    if (result instanceof Promise) result.catch(on.internalError)
  }

  /** Applies a rule to a user, and does what follows from it. `then` comes first. */
  const apply = <Result>(key: string, rule: Rule, then: (outcome: Outcome, known: KnownUser) => Result) =>
    users.change(key, rule, (outcome, known) => {
      const result = then(outcome, known)
      known.toldAt = clock()
      endAll(known, outcome.gone)
      // Who was silent so long counts no more, though a neighbour keeps the session alive.
      for (const { session } of known.sessions.values()) {
        if (clock() - session.lastSeen <= idle || known.user.terms === undefined) continue
        users.take(known, session)
        waiting.set(session.id, { key, terms: known.user.terms, sent: known.sent })
      }
      users.tidy(known)
      return result
    })

  const ruleOf =
    (event: Event): Rule =>
    (user, now, known) =>
      change(user, { ...event, here: users.here(known) }, now, settings())

  const openingOf = (session: Session, terms: Terms, { since, seen, tokenless }: Coming): Rule => {
    const by = users.offset()
    const moved = (time: number | undefined) => (time === undefined ? undefined : time + by)
    const times = { since: moved(since), seen: moved(seen), tokenless }
    return ruleOf({ what: 'opening', session: limitedOf(session), terms, ...times })
  }

  const put = (
    session: Session,
    { key, terms, sent }: Counted,
    coming: Coming,
  ): boolean | Promise<boolean> => {
    const isAdopted = coming.since !== undefined
    // One that is resumed is in the table only after this.
    const mayEnd = isAdopted || !session.ended
    let isLater = false
    const hasPlace = apply(key, openingOf(session, terms, coming), ({ refused, user }, known) => {
      // An adopted session is not the request: that is refused later.
      if (refused !== undefined && !isAdopted) refuse(key)
      known.sent = sent
      const isIn = isReport || refused === undefined
      // It may have ended here while others were heard.
      if (isIn && isLater && mayEnd && session.ended) behind(drop(key, session))
      else if (isIn) {
        waiting.delete(session.id)
        users.put(known, session, limitedOf(session))
        const since = user.entries.find(({ id }) => id === session.id)?.since
        if (isAdopted && since !== undefined) session.since = since - users.offset()
        putOut.forget(session)
      }
      return isIn
    })
    isLater = true
    return hasPlace
  }

  /** It was closed or denied. */
  const drop = (key: string, { id }: Session) => apply(key, ruleOf({ what: 'end', id }), () => {})

  const cut = (session: Session, { key }: Counted): void => {
    const known = users.get(key)
    const by = known && whyOut(known.user, limitedOf(session), clock(), users.offset())?.by
    if (known !== undefined) displace(known, session, by ?? '', 'other')
    else behind(options.end(session, { why: 'displaced', by: '' }))
  }

  const look = ruleOf({ what: 'look' })

  const lookAfter = (known: KnownUser, isAnew: boolean): void => {
    const { key, user, sessions, toldAt } = known
    const isRequested = [...sessions.values()].some(({ session }) => session.lastSeen >= toldAt)
    const isDue = known.aloneAt !== undefined || isAnew || (isRequested && clock() - toldAt >= report)
    const isCrowded = user.entries.length > 1 && look(user, clock() + users.offset(), known).gone.length > 0
    if (isCrowded || sessions.size === 0 || (stored !== undefined && isDue))
      behind(apply(key, look, () => {}))
  }

  const judging = { count, ruleOf }
  const limit = {
    ...createJudge({ ...judging, apply, find: putOut.find, put, refuse, behind, cut, waiting }),
    waiting,

    renew(session: Session, grant: Sent, backend: string): void {
      const now = count(session, undefined, grant, backend)
      const known = users.of(session)
      if (known !== undefined && known.key !== now?.key) {
        users.take(known, session)
        behind(drop(known.key, session))
      }
      if (now === undefined) waiting.delete(session.id)
      else if (waiting.has(session.id)) waiting.set(session.id, now)
      else if (known?.key === now.key) {
        known.sent = now.sent
        const { max, policy } = known.user.terms ?? {}
        if (max === now.terms.max && policy === now.terms.policy) return
        behind(apply(now.key, ruleOf({ what: 'terms', terms: now.terms }), () => {}))
      } else {
        const hasPlace = put(session, now, { since: session.since, seen: session.lastSeen })
        behind(whenKnown(hasPlace, (isIn) => isIn || cut(session, now)))
      }
    },

    /** Another gate says that a session was put out, which this gate may have. */
    displacedElsewhere(gone: Pick<Gone, 'id' | 'by' | 'cause'>): void {
      const known = users.of(gone)
      const session = known?.sessions.get(gone.id)?.session
      if (known === undefined || session === undefined) return
      displace(known, session, gone.by, gone.cause)
      users.tidy(known)
    },

    written,

    limitedOf(session: Session): Limited | undefined {
      const known = users.of(session)
      const { key: user, sent } = known ?? waiting.get(session.id) ?? {}
      return user === undefined ? undefined : { user, entered: session.since, ...sent }
    },

    rehearsal: (): SessionLimit => ({
      ...limit,
      ...createJudge({
        ...judging,
        find: putOut.peek,
        apply: (key, rule, then) => {
          const known = users.peek(key)
          return then(rule(known.user, clock() + users.offset(), known), known)
        },
        put(session, { key, terms }, coming) {
          const known = users.peek(key)
          const outcome = openingOf(session, terms, coming)(known.user, clock() + users.offset(), known)
          return isReport || outcome.refused === undefined
        },
        ...{ refuse() {}, behind() {}, cut() {} },
        waiting: new Map(waiting),
      }),
      ...{ renew() {}, ended() {}, written: () => undefined },
    }),

    ended(session: Session, why: SessionEnd): void {
      waiting.delete(session.id)
      const known = users.of(session)
      if (known === undefined) return
      users.take(known, session)
      // After a silence it may go on at another gate: it counts as long as it was heard.
      if (why === 'closed' || why === 'denied' || why === 'shared') behind(drop(known.key, session))
      else users.tidy(known)
    },

    /** Starts to look after the users; the result stops it. */
    start: () => startRounds(users, clock, after, lookAfter),

    /** What the user of a session plays; undefined for one without a limit. */
    describe(session: Session): (UserPlays & { readonly user: string }) | undefined {
      const known = users.of(session)
      return known && { user: known.key, ...describeUser(known.user, clock(), users.offset(), settings()) }
    },
    /** Why a request is refused that no session answers; undefined where the limit is not why. */
    whyOut(identity: Identity): PutOutView | undefined {
      const one = putOut.peek(identity, clock())
      const known = one && users.get(one.user)
      if (one === undefined || known === undefined) return undefined
      const out = whyOut(known.user, one.limited, clock(), users.offset())
      return {
        ...describeUser(known.user, clock(), users.offset(), settings()),
        ...{ user: one.user, session: one.session, by: one.by, at: one.at, until: out?.until },
      }
    },
    refusedUsers,
    /** How many users are known. */
    count: users.count,
  } satisfies SessionLimit & Record<string, unknown>
  return limit
}
