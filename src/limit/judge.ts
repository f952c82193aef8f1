import type { SessionLimit } from '../decision/limit.ts'
import type { Identity } from '../session/identity.ts'
import { isOwn } from '../session/scope.ts'
import type { Session } from '../session/session.ts'
import type { PutOut } from './put-out.ts'
import type { Event, Opening } from './rules.ts'
import type { Terms } from './terms.ts'
import type { Rule, Sent, Users } from './users.ts'

/** For whom a session counts, and how many they may have. */
export interface Counted {
  /** The user. */
  readonly key: string
  readonly terms: Terms
  readonly sent: Sent
}

/** How a session comes; times are milliseconds of the monotonic clock. */
export type Coming = Pick<Opening, 'since' | 'seen' | 'tokenless'>

/** What follows from a judgement. In a rehearsal nothing does. */
export interface JudgeOptions {
  readonly ruleOf: (event: Event) => Rule
  readonly apply: Users['change']
  /** By the id of the session. */
  readonly waiting: Map<string, Counted>
  /** For whom a session counts that was allowed before; undefined: nothing limits it. */
  readonly count: (
    session: Session,
    key: string | undefined,
    sent: Sent,
    backend?: string,
  ) => Counted | undefined
  readonly find: (identity: Identity, now: number) => PutOut | undefined
  /** A session comes; returns whether there is a place for it. */
  put(session: Session, counted: Counted, coming: Coming): boolean | Promise<boolean>
  refuse(user: string): void
  /** A session that was let in before has no place now. */
  cut(session: Session, counted: Counted): void
  /** Nobody waits for this; it may reject. */
  behind(result: unknown): void
}

/** Says who may play. All that follows is done by the options. */
export function createJudge(
  options: JudgeOptions,
): Pick<SessionLimit, 'enter' | 'enterAgain' | 'refuses' | 'play'> {
  const { ruleOf, apply, waiting, count, find, put, refuse, cut, behind } = options

  const come = (session: Session, counted: Counted, isHead: boolean, tokenless: boolean) => {
    if (!isHead) return put(session, counted, { tokenless })
    waiting.set(session.id, counted)
    return true
  }
  const putOrCut = (session: Session, counted: Counted, coming: Coming): boolean | Promise<boolean> =>
    whenKnown(put(session, counted, coming), (isIn) => {
      if (!isIn) cut(session, counted)
      return isIn
    })

  return {
    enter(session, grant, backend, { isHead, tokenless }) {
      const counted = count(session, undefined, grant, backend)
      return counted === undefined || come(session, counted, isHead, tokenless)
    },
    enterAgain(session, limited, as, { isHead, tokenless }) {
      const counted = limited && count(session, limited.user, limited)
      if (limited === undefined || counted === undefined) return true
      if (as === 'resumed') return come(session, counted, isHead, tokenless)
      const hasPlace = putOrCut(session, counted, { since: limited.entered, seen: session.lastSeen })
      // It plays at another gate, so nobody waits until the others were heard. It is cut if need be.
      behind(hasPlace)
      return hasPlace instanceof Promise || hasPlace
    },
    refuses(identity, now) {
      const one = find(identity, now)
      if (one === undefined) return false
      const rule = ruleOf({ what: 'try', session: one.limited, own: isOwn(one.session, identity) })
      return apply(one.user, rule, ({ refused }) => {
        if (refused !== undefined) refuse(one.user)
        return refused !== undefined
      })
    },
    play(session) {
      const counted = waiting.get(session.id)
      return counted === undefined || putOrCut(session, counted, {})
    },
  }
}

/** Calls `next` with a value, at once where it is there. */
export function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
