import type { User } from '../limit/user.ts'
import type { KnownUser, UserTable } from './user-table.ts'

/** What the rules make of a user, and what they say to it. */
export interface Made<Said> {
  readonly user: User
  readonly said: Said
}

/** Changes nothing itself: it may be asked again, about what another gate has made of the user meanwhile. */
export type Rule<Said> = (user: User, now: number, known: KnownUser) => Made<Said>

export interface Change<Said> {
  /** The user. */
  readonly key: string
  readonly rule: Rule<Said>
  /** When the others cannot be heard: what is applied to what they know, once they can. */
  readonly repeats?: Rule<unknown> | undefined
}

/** What follows from what the rules have said. `before` is what this gate knew of the user. */
export type Then<Said, Result> = (said: Said, known: KnownUser, before: User) => Result

/** The states of all users: those of this gate alone, or of all gates that share a store. */
export interface UserStates {
  /** Other gates change them, too. */
  readonly isShared: boolean
  /**
   * Puts what the rule makes of a user in the place of what it was and, at the same moment, calls `then` with
   * what the rule said. The result is that of `then`; a promise where other gates have to be heard.
   */
  change<Said, Result>(change: Change<Said>, then: Then<Said, Result>): Result | Promise<Result>
}

/** @param clock monotonic milliseconds */
export function createOwnStates(users: UserTable, clock: () => number): UserStates {
  return {
    isShared: false,
    change({ key, rule }, then) {
      const known = users.getOrAdd(key)
      const before = known.user
      const { user, said } = rule(before, clock(), known)
      known.user = user
      return then(said, known, before)
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
