import type { SessionLimit } from '../decision/limit.ts'
import type { LimitedSession } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import type { DisplacedSessions } from './displaced-sessions.ts'
import type { Entering } from './entering.ts'
import { createJudge, type JudgeOptions } from './judge.ts'
import { createUserTable, type KnownUser } from './user-table.ts'

export interface RehearseLimitOptions extends Omit<JudgeOptions, 'apply' | 'displaced'> {
  readonly displaced: Pick<DisplacedSessions, 'peek'>
  readonly entering: Entering
  readonly limitedOf: (session: Session) => LimitedSession
  /** Everybody is let in. */
  readonly isReport: boolean
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

/** The same limit, which changes nothing, ends nobody, and asks no other gate: it says what would be. */
export function rehearseLimit(limit: SessionLimit, options: RehearseLimitOptions): SessionLimit {
  const { users, displaced, entering, limitedOf, isReport, clock } = options
  const knownOf = (key: string): KnownUser => users.get(key) ?? createUserTable().getOrAdd(key)
  return {
    ...limit,
    ...createJudge(
      {
        ...options,
        displaced: { find: displaced.peek },
        apply({ key, rule }, then) {
          const known = knownOf(key)
          return then(rule(known.user, clock(), known).said, known)
        },
      },
      {
        put(session, { key, terms }, coming) {
          const known = knownOf(key)
          const { said } = entering(limitedOf(session), terms, coming)(known.user, clock(), known)
          return isReport || said.refused === undefined
        },
        refuse() {},
        wait() {},
        cut() {},
        behind() {},
      },
    ),
    renew() {},
    ended() {},
    written: () => undefined,
  }
}
