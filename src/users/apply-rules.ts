import type { DisplacedSession } from '../limit/displace.ts'
import { needsLook } from '../limit/look.ts'
import { isEmpty } from '../limit/prune.ts'
import type { Times } from '../limit/times.ts'
import type { User } from '../limit/user.ts'
import type { Counted } from './count.ts'
import type { GiveWay } from './give-way.ts'
import type { Rejoin } from './rejoin.ts'
import type { SessionLimitOptions } from './user-limit.ts'
import type { Change, UserStates } from './user-states.ts'
import type { KnownUser, UserTable } from './user-table.ts'

export interface ApplyRulesOptions extends Pick<SessionLimitOptions, 'clock' | 'on'> {
  readonly users: UserTable
  readonly states: UserStates
  readonly rejoin: Rejoin
  readonly giveWay: Pick<GiveWay, 'endAll' | 'endMarked'>
  /** By the id of the session. */
  readonly waiting: Map<string, Counted>
  readonly times: Times
}

/** Whom the rules displace. */
export interface Displacing {
  readonly displaced: readonly DisplacedSession[]
}

/** A change of a user by the rules. */
export interface RuleChange<Said extends Displacing> extends Change<Said> {
  /** The rule is told when the sessions of this gate were requested. */
  readonly tells?: boolean
}

/**
 * Applies a rule to a user and does what follows: who has to give way ends, and what counts no more is
 * forgotten. `then` comes first. The result is that of `then`; a promise where other gates have to be heard.
 */
export type ApplyRule = <Said extends Displacing, Result>(
  change: RuleChange<Said>,
  then: (said: Said, known: KnownUser) => Result,
) => Result | Promise<Result>

export interface ApplyRules {
  readonly apply: ApplyRule
  /** Users who may have too many plays, or of whom the others do not know all. */
  readonly crowded: ReadonlySet<KnownUser>
  /** Forgets the user if this gate need not know them any more. */
  tidy(known: KnownUser): void
}

export function createApplyRules(options: ApplyRulesOptions): ApplyRules {
  const { users, states, giveWay, waiting, times, clock, on } = options
  const { rejoin, endedOf } = options.rejoin
  const crowded = new Set<KnownUser>()

  /** @param ids the sessions of this gate that the rules knew of; undefined = all */
  const settle = (known: KnownUser, before: User, ids: ReadonlySet<string> | undefined): void => {
    const now = clock()
    const { user } = known
    if (user.sharedUntil > now && before.sharedUntil <= now) on.shared(known.key)
    for (const { session, mark } of endedOf(known)) giveWay.endMarked(known, session, mark)
    if (states.isShared || known.sessions.size > user.entries.length) forgetUncounted(known, now, ids)
    const isUntold = known.aloneAt !== undefined || known.repeat.length > 0
    if (isUntold || needsLook(user, states.isShared)) crowded.add(known)
    else crowded.delete(known)
    tidy(known)
  }

  const tidy = (known: KnownUser): void => {
    if (known.sessions.size === 0 && !isKept(known, clock())) forget(known)
  }

  /** With a shared store others know the rest, unless this gate has changed the user alone. */
  const isKept = ({ user, aloneAt, repeat }: KnownUser, now: number): boolean => {
    if (!states.isShared) return !isEmpty(user)
    if (aloneAt === undefined && repeat.length === 0) return false
    // After so long even the others have forgotten what they should have been told.
    return !isEmpty(user) || now - (aloneAt ?? now) <= times.mark
  }

  const forget = (known: KnownUser): void => {
    crowded.delete(known)
    users.delete(known.key)
  }

  /** What the rules have forgotten enters anew with its next request. Of a shared name nothing counts. */
  const forgetUncounted = (known: KnownUser, now: number, ids: ReadonlySet<string> | undefined): void => {
    const { key, sent, user } = known
    const entered = new Set(user.entries.map(({ id }) => id))
    for (const session of [...known.sessions.values()]) {
      if (entered.has(session.id) || ids?.has(session.id) === false) continue
      users.take(known, session)
      if (user.terms !== undefined && user.sharedUntil <= now)
        waiting.set(session.id, { key, terms: user.terms, sent })
    }
  }

  return {
    ...{ crowded, tidy },
    apply({ key, rule, repeats, tells = false }, then) {
      return states.change(
        {
          ...{ key, repeats },
          rule(user, now, known) {
            const own = rejoin(user, now, known)
            const { user: made, said } = rule(own.user, now, known)
            const ids = states.isShared ? new Set(known.sessions.keys()) : undefined
            return { user: made, said: { said, own: own.displaced, ids, now } }
          },
        },
        ({ said, own, ids, now }, known, before) => {
          const result = then(said, known)
          if (tells) known.toldAt = now
          giveWay.endAll(known, [...own, ...said.displaced])
          settle(known, before, ids)
          return result
        },
      )
    },
  }
}
