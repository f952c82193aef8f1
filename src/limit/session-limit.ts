import type { Limited, SessionLimit } from '../decision/limit.ts'
import type { Identity } from '../session/identity.ts'
import { isOwn } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import { describeUser } from './describe.ts'
import { createGiveWay } from './give-way.ts'
import type { SessionLimitOptions } from './limit-options.ts'
import { limitedSessionOf } from './limited-session.ts'
import { holdsOf } from './outs.ts'
import { change, type Event, type Opening } from './rules.ts'
import { readTerms } from './terms.ts'
import { type LimitSettings, MINUTE } from './user.ts'
import { type Counted, createUsers, type KnownUser, type Rule, type Sent, type Users } from './users.ts'

/** The limit for the decision, and what the operator may see of it. */
export type UserLimit = ReturnType<typeof createSessionLimit>

/** How a session comes; times are milliseconds of the monotonic clock. */
type Coming = Pick<Opening, 'since' | 'seen' | 'tokenless'>

export function createSessionLimit(options: SessionLimitOptions) {
  const { clock, on, idle, stored } = options
  const isReport = options.sessionLimit === 'report'
  // Milliseconds between two reports to other gates.
  const report = Math.min(30_000, idle / 4)
  const began = clock()
  const settings = (): LimitSettings => {
    // What a folder says may be old in the first minute after a start.
    const isOld = stored !== undefined && (stored.texts.isShared || clock() - began < MINUTE)
    const unseen = options.unseen?.() ?? 0
    return { idle, report: isOld ? report : 0, gate: stored?.gate ?? '', unseen, isReport }
  }
  const users = createUsers(clock, settings, stored)
  const { waiting } = users
  const rulesSee = (session: Session) => limitedSessionOf(session, options.identify(session.opener()))
  const { putOut, displace, displacedElsewhere, endAll, refuse, written, refusedUsers } = createGiveWay(
    options,
    users,
    rulesSee,
  )

  const count = (session: Session, { maxSessions, unique }: Sent, backend = '', as?: string) => {
    const { terms, nonsense } = readTerms({ userId: session.userId, maxSessions, unique }, options)
    if (nonsense !== undefined && as === undefined) on.nonsense(backend, nonsense)
    const key = as ?? `${options.groupOf(backend)}\n${session.userId}`
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
  const apply: Users['change'] = (key, rule, then) =>
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

  /** It was closed or denied. */
  const drop = (key: string, { id }: Session) => behind(apply(key, ruleOf({ what: 'end', id }), () => {}))

  /** A session that was let in before has no place now. */
  const cut = (session: Session, { key }: Counted): void => {
    const known = users.get(key)
    if (known === undefined) behind(options.end(session, { why: 'displaced', by: '' }))
    else displace(known, session, holdsOf(known.user, rulesSee(session), users.now())[0]?.by ?? '', 'other')
  }

  /** Who may play. A rehearsal says it, and nothing follows. */
  const createJudge = (isReal: boolean) => {
    const judging: Users['change'] = (key, rule, then) => {
      if (isReal) return apply(key, rule, then)
      const known = users.peek(key)
      return then(rule(known.user, users.now(), known), known)
    }
    const asleep = isReal ? waiting : new Map(waiting)

    /** A session comes; returns whether there is a place for it. */
    const put = (session: Session, { key, terms, sent }: Counted, coming: Coming) => {
      const by = users.offset()
      const moved = (time: number | undefined) => (time === undefined ? undefined : time + by)
      const times = { since: moved(coming.since), seen: moved(coming.seen), tokenless: coming.tokenless }
      const isAdopted = coming.since !== undefined
      // One that is resumed is in the table only after this.
      const mayEnd = isAdopted || !session.ended
      let isLater = false
      const rule = ruleOf({ what: 'opening', session: rulesSee(session), terms, ...times })
      const hasPlace = judging(key, rule, ({ refused, user }, known) => {
        const isIn = isReport || refused === undefined
        if (!isReal) return isIn
        // An adopted session is not the request: that is refused later.
        if (refused !== undefined && !isAdopted) refuse(key)
        known.sent = sent
        // It may have ended here while others were heard.
        if (isIn && isLater && mayEnd && session.ended) drop(key, session)
        else if (isIn) {
          users.put(known, session, rulesSee(session))
          const since = user.entries.find(({ id }) => id === session.id)?.since
          if (isAdopted && since !== undefined) session.since = since - users.offset()
          putOut.forget(session)
        }
        return isIn
      })
      isLater = true
      return hasPlace
    }
    const putOrCut = (session: Session, counted: Counted, coming: Coming): boolean | Promise<boolean> => {
      const act = (isIn: boolean): boolean => {
        if (!isIn && isReal) cut(session, counted)
        return isIn
      }
      const hasPlace = put(session, counted, coming)
      return hasPlace instanceof Promise ? hasPlace.then(act) : act(hasPlace)
    }
    const come = (session: Session, counted: Counted | undefined, isHead: boolean, tokenless: boolean) => {
      if (counted === undefined) return true
      if (!isHead) return put(session, counted, { tokenless })
      asleep.set(session.id, counted)
      return true
    }

    return {
      waiting: asleep,
      putOrCut,
      enter: (session, grant, backend, { isHead, tokenless }) =>
        come(session, count(session, grant, backend), isHead, tokenless),
      enterAgain(session, limited, as, { isHead, tokenless }) {
        const counted = limited && count(session, limited, '', limited.user)
        if (limited === undefined || counted === undefined || as === 'resumed')
          return come(session, counted, isHead, tokenless)
        const hasPlace = putOrCut(session, counted, { since: limited.entered, seen: session.lastSeen })
        // It plays at another gate, so nobody waits until the others were heard. It is cut if need be.
        behind(hasPlace)
        return hasPlace instanceof Promise || hasPlace
      },
      refuses(identity, now) {
        const one = putOut.find(identity, now, !isReal)
        if (one === undefined) return false
        const rule = ruleOf({ what: 'try', session: one.limited, own: isOwn(one.session, identity) })
        return judging(one.user, rule, ({ refused }) => {
          if (refused !== undefined && isReal) refuse(one.user)
          return refused !== undefined
        })
      },
      play(session) {
        const counted = asleep.get(session.id)
        return counted === undefined || putOrCut(session, counted, {})
      },
    } satisfies Partial<SessionLimit> & Record<string, unknown>
  }

  const look = ruleOf({ what: 'look' })
  const lookAfter = (known: KnownUser, isAnew: boolean): void => {
    const { key, user, sessions, toldAt } = known
    const isRequested = [...sessions.values()].some(({ session }) => session.lastSeen >= toldAt)
    const isDue = known.aloneAt !== undefined || isAnew || (isRequested && clock() - toldAt >= report)
    const isCrowded = user.entries.length > 1 && look(user, users.now(), known).gone.length > 0
    if (isCrowded || sessions.size === 0 || (stored !== undefined && isDue))
      behind(apply(key, look, () => {}))
  }

  const { putOrCut, ...judge } = createJudge(true)
  const describe = ({ key, user }: KnownUser) => ({
    user: key,
    ...describeUser(user, clock(), users.offset(), settings()),
  })
  const limit = {
    ...judge,

    renew(session: Session, grant: Sent, backend: string): void {
      const now = count(session, grant, backend)
      const known = users.of(session)
      if (known !== undefined && known.key !== now?.key) {
        users.take(known, session)
        drop(known.key, session)
      }
      if (now === undefined) waiting.delete(session.id)
      else if (waiting.has(session.id)) waiting.set(session.id, now)
      else if (known?.key === now.key) {
        known.sent = now.sent
        const { max, policy } = known.user.terms ?? {}
        if (max === now.terms.max && policy === now.terms.policy) return
        behind(apply(now.key, ruleOf({ what: 'terms', terms: now.terms }), () => {}))
      } else behind(putOrCut(session, now, { since: session.since, seen: session.lastSeen }))
    },

    displacedElsewhere,
    written,
    refusedUsers,

    limitedOf(session: Session): Limited | undefined {
      const known = users.of(session)
      const { key: user, sent } = known ?? waiting.get(session.id) ?? {}
      return user === undefined ? undefined : { user, entered: session.since, ...sent }
    },

    rehearsal: (): SessionLimit => ({
      ...limit,
      ...createJudge(false),
      ...{ renew() {}, ended() {}, written: () => undefined },
    }),

    ended(session: Session, why: SessionEnd): void {
      const known = users.of(session)
      waiting.delete(session.id)
      if (known === undefined) return
      users.take(known, session)
      // After a silence it may go on at another gate: it counts as long as it was heard.
      if (why === 'closed' || why === 'denied' || why === 'shared') drop(known.key, session)
      else users.tidy(known)
    },

    /** Starts to look after the users; the result stops it. */
    start: () => users.lookAfterAll(options.after, lookAfter),

    /** What the user of a session plays; undefined for one without a limit. */
    describe(session: Session) {
      const known = users.of(session)
      return known && describe(known)
    },

    /**
     * Why a request is refused that no session answers, and what its user plays; undefined where the limit is
     * not why. It stays out `until` then, while there is no room; undefined: it may come back. `by` is the
     * session that made it one too many, empty where that is not known.
     */
    whyOut(identity: Identity) {
      const one = putOut.find(identity, clock(), true)
      const known = one && users.get(one.user)
      if (one === undefined || known === undefined) return undefined
      const { session, by, at, limited } = one
      const [hold] = holdsOf(known.user, limited, users.now())
      return { ...describe(known), session, by, at, until: hold && hold.until - users.offset() }
    },

    /** How many users are known. */
    count: users.count,
  } satisfies SessionLimit & Record<string, unknown>
  return limit
}
