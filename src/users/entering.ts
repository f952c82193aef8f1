import { admit, type Coming, type Refusal } from '../limit/admit.ts'
import type { DisplacedSession } from '../limit/displace.ts'
import { MOST_SESSIONS, type Terms } from '../limit/terms.ts'
import type { Times } from '../limit/times.ts'
import { type LimitedSession, type User, withTerms } from '../limit/user.ts'
import type { Rule } from './user-states.ts'
import { type KnownUser, seenOf } from './user-table.ts'

/** What the rules say of a session that comes. */
export interface Entered {
  readonly refused: Refusal | undefined
  readonly displaced: readonly DisplacedSession[]
}

/** The rule for a session that comes. */
export type Entering = (limited: LimitedSession, terms: Terms, coming: Coming) => Rule<Entered>

/** @param isReport everybody is let in, whatever the rules say */
export function createEntering(times: Times, isReport: boolean): Entering {
  /** The others of a user whom everybody has as their name are not looked at: there may be 100,000. */
  const othersOf = (known: KnownUser, user: User, now: number) =>
    user.sharedUntil > now ? [] : seenOf(known)

  return (limited, terms, coming) => (user, now, known) => {
    const told = { ...coming, others: othersOf(known, user, now) }
    const { user: would, ...said } = admit(user, now, limited, terms, times, told)
    if (!isReport) return { user: would, said }
    // The user with all their plays, whatever the limit would have done.
    const free = admit(user, now, limited, { ...terms, max: MOST_SESSIONS }, times, told)
    const { cuts, sharedUntil } = would
    return { user: { ...withTerms(free.user, terms), cuts, sharedUntil }, said }
  }
}
