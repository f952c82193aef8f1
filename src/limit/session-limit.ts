import { LRUCache } from 'lru-cache'
import type { SessionLimit } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { UserTexts } from '../state/user-texts.ts'
import type { Subrequest } from '../subrequest.ts'
import { describeUser, type UserPlays, whyOut } from './describe.ts'
import { type Coming, type Counted, createJudge, type JudgeOptions, whenKnown } from './judge.ts'
import { limitedSessionOf } from './limited-session.ts'
import { createPutOutSessions } from './put-out.ts'
import { createRefusedUsers, type RefusedUser } from './refused-users.ts'
import { change, type Event, type Gone, type Outcome } from './rules.ts'
import { readTerms, type Terms, type TermsSettings } from './terms.ts'
import type { Cause, LimitSettings } from './user.ts'
import { createUsers, type KnownUser, type Rule } from './users.ts'

export interface SessionLimitOptions extends TermsSettings {
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  readonly identify: (subrequest: Subrequest) => Identity
  /** Users of one group have ids in common: the backends of one middleware. */
  readonly groupOf: (backend: string) => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** For so many milliseconds nginx may answer in place of the gate now. */
  readonly unseen?: () => number
  /** Ends a session for good, of the table or of the store. Resolves when that is written. */
  readonly end: (session: Session, end: End) => Promise<unknown>
  readonly on: LimitListeners
  /** Where users are kept; undefined: in this process alone. */
  readonly stored?: StoredUsers | undefined
}

/** Users beyond this process: in a folder, or those of all gates that share a store. */
export interface StoredUsers {
  readonly texts: UserTexts
  /** This gate among those that share them. */
  readonly gate: string
  /** Ends a session that this gate does not have, and tells the one that has it. */
  endElsewhere(gone: Gone): void
  /** A user was judged by this gate alone, since the store could not be heard. */
  onAlone(): void
}

/** What the limit tells. With `SESSION_LIMIT=report` it tells what would happen. */
export interface LimitListeners {
  /** `by` is the id of the session that made it one too many. */
  displaced(session: Session, by: string, cause: Cause): void
  /** An opening, or a request of who was put out, was refused. */
  refused(user: string): void
  /** A backend sent an `X-Max-Sessions` that is no number of sessions. */
  nonsense(backend: string, sent: string): void
  /** Our own code threw where nobody waits for it. */
  internalError(error: unknown): void
  /** The user was put out at so many networks that the name must be shared. Told once. */
  shared(user: string): void
}

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
export interface UserLimit extends SessionLimit {
  /** Starts to look after the users; the result stops it. */
  start(): () => void
  /** Another gate says that a session was put out, which this gate may have. */
  displacedElsewhere(gone: Pick<Gone, 'id' | 'by' | 'cause'>): void
  /** What the user of a session plays; undefined for one without a limit. */
  describe(session: Session): (UserPlays & { readonly user: string }) | undefined
  /** Why a request is refused that no session answers; undefined where the limit is not why. */
  whyOut(identity: Identity): PutOutView | undefined
  refusedUsers(most: number): readonly RefusedUser[]
  /** How many users are known. */
  count(): number
}

/** Milliseconds between two looks at a user, and between two turns: each turn is short. */
const LOOK = 5_000
const TURN = 100
/** The longest time between two reports to other gates; milliseconds. */
const REPORT = 30_000
/** After a start, what a folder says may be old for so long; milliseconds. */
const YOUNG = 60_000
/** Sessions that were put out before this gate had them in its table: how many, and for how long. */
const EARLY = { max: 10_000, ttl: 10_000 }

export function createSessionLimit(options: SessionLimitOptions): UserLimit {
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
  const refusedUsers = createRefusedUsers()
  const waiting = new Map<string, Counted>()
  const early = new LRUCache<string, Pick<Gone, 'id' | 'by' | 'cause'>>(EARLY)
  const writing = new Set<Promise<unknown>>()
  /** With SESSION_LIMIT=report: sessions that would have been put out. */
  const reported = new WeakSet<Session>()

  const limitedOf = (session: Session) => limitedSessionOf(session, identify(session.opener()))

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

  const refuse = (key: string): void => {
    refusedUsers.refused(key, clock())
    on.refused(key)
  }

  /** Ends a session of this gate. With `report` it is only told. */
  const displace = (known: KnownUser, session: Session, by: string, cause: Cause): void => {
    if (reported.has(session)) return
    on.displaced(session, by, cause)
    if (isReport) return void reported.add(session)
    const limited = known.sessions.get(session.id)?.limited ?? limitedOf(session)
    users.take(known, session)
    waiting.delete(session.id)
    putOut.add({ session, limited, user: known.key, by, at: clock() })
    const written = options
      .end(session, { why: 'displaced', by, cause })
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  const endAll = (known: KnownUser, gone: readonly Gone[]): void => {
    for (const one of gone) {
      const session = known.sessions.get(one.id)?.session
      if (one.cause !== 'beside' && !one.left && !(session && reported.has(session)))
        if (refusedUsers.displaced(known.key, one.address, clock())) on.shared(known.key)
      if (session !== undefined) displace(known, session, one.by, one.cause)
      else if (!isReport && stored?.texts.isShared) stored.endElsewhere(one)
    }
  }

  /** Applies a rule to a user, and does what follows from it. `then` comes first. */
  const apply = <Result>(key: string, rule: Rule, then: (outcome: Outcome, known: KnownUser) => Result) =>
    users.change(key, rule, (outcome, known) => {
      const result = then(outcome, known)
      known.toldAt = clock()
      endAll(known, outcome.gone)
      // What another gate has put out, whether this one has heard of it or not.
      for (const { id, by, cause } of known.user.outs) {
        const session = known.sessions.get(id)?.session
        if (session !== undefined) displace(known, session, by, cause)
      }
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
    const times = { since: since && since + by, seen: seen && seen + by, tokenless }
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
      const end = early.get(session.id)
      early.delete(session.id)
      // An adopted session is not the request: that is refused later.
      if ((refused !== undefined || end !== undefined) && !isAdopted) refuse(key)
      known.sent = sent
      const isIn = isReport || (refused === undefined && end === undefined)
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
  const limit: UserLimit = {
    ...createJudge({ ...judging, apply, find: putOut.find, put, refuse, behind, cut, waiting }),
    waiting,

    renew(session, grant, backend) {
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

    displacedElsewhere(gone) {
      const known = users.of(gone)
      const session = known?.sessions.get(gone.id)?.session
      if (known === undefined || session === undefined) return void early.set(gone.id, gone)
      displace(known, session, gone.by, gone.cause)
      users.tidy(known)
    },

    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),

    limitedOf(session) {
      const known = users.of(session)
      const { key: user, sent } = known ?? waiting.get(session.id) ?? {}
      return user === undefined ? undefined : { user, entered: session.since, ...sent }
    },

    rehearsal: () => ({
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

    ended(session, why) {
      waiting.delete(session.id)
      const known = users.of(session)
      if (known === undefined) return
      users.take(known, session)
      // After a silence it may go on at another gate: it counts as long as it was heard.
      if (why === 'closed' || why === 'denied' || why === 'shared') behind(drop(known.key, session))
      else users.tidy(known)
    },

    start() {
      let walk: Iterator<KnownUser> | undefined
      let most = 0
      let cancel = (): void => {}
      /** Looks at a part of all users in each turn, so that all have their turn within LOOK. */
      const turn = (): void => {
        cancel = after(TURN, turn)
        if (users.hasStepped()) steppedAt = clock()
        if (walk === undefined) most = users.count()
        for (let left = Math.ceil((most * TURN) / LOOK); left > 0; left--) {
          walk ??= users.all()[Symbol.iterator]()
          const next = walk.next()
          if (next.done === true) {
            walk = undefined
            return
          }
          lookAfter(next.value, next.value.toldAt < steppedAt)
        }
      }
      let steppedAt = Number.NEGATIVE_INFINITY
      cancel = after(TURN, turn)
      return () => cancel()
    },

    describe(session) {
      const known = users.of(session)
      return known && { user: known.key, ...describeUser(known.user, clock(), users.offset(), settings()) }
    },
    whyOut(identity) {
      const one = putOut.peek(identity, clock())
      const known = one && users.get(one.user)
      if (one === undefined || known === undefined) return undefined
      const out = whyOut(known.user, one.limited, clock(), users.offset())
      return {
        ...describeUser(known.user, clock(), users.offset(), settings()),
        ...{ user: one.user, session: one.session, by: one.by, at: one.at, until: out?.until },
      }
    },
    refusedUsers: (most) => refusedUsers.list(clock(), most),
    count: users.count,
  }
  return limit
}
