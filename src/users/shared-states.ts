import { lastsUntil } from '../limit/prune.ts'
import type { Times } from '../limit/times.ts'
import { nobody, type User } from '../limit/user.ts'
import { StoreError } from '../state/record-store.ts'
import type { UserValue, UserValues } from '../state/shared-store.ts'
import type { Rule, UserStates } from './user-states.ts'
import type { KnownUser, UserTable } from './user-table.ts'
import { readUserText, textOfUser } from './user-text.ts'

export interface SharedStatesOptions {
  readonly users: UserTable
  readonly values: UserValues
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Whole milliseconds from the monotonic clock to the time of the store. */
  readonly offset: () => number
  readonly times: Times
  /** A change was made by this gate alone, since the others could not be heard. */
  readonly onAlone: () => void
}

/**
 * How often a change is tried again because another gate was faster. Each time one of them succeeds, so this
 * is more than any number of gates needs.
 */
const MOST_TRIES = 64
/** Changes of one user that are kept to be repeated. */
const MOST_REPEATED = 64
/** A user of whom little is left stays for so long; milliseconds. */
const SHORTEST = 1_000

/**
 * The same rules for all gates: each applies them to the text that all share, and puts the result in its place
 * if no other gate was faster. So the changes of a user have one order. While the store is away each gate goes
 * on with what it knows.
 */
export function createSharedStates(options: SharedStatesOptions): UserStates {
  const { users, values, clock, offset, times, onAlone } = options
  /** The last change of each user that is under way: one waits for the other. */
  const lanes = new Map<string, Promise<unknown>>()

  type Then<Said, Result> = (said: Said, known: KnownUser, before: User) => Result

  const alone = <Said, Result>(
    key: string,
    rule: Rule<Said>,
    then: Then<Said, Result>,
    repeats: boolean,
  ): Result => {
    const known = users.getOrAdd(key)
    const before = known.user
    const { user, said } = rule(before, clock(), known)
    known.user = user
    known.isAlone = true
    if (repeats) known.repeat = [...known.repeat, rule].slice(-MOST_REPEATED)
    onAlone()
    return then(said, known, before)
  }

  /** @throws {StoreError} */
  const together = async <Said, Result>(
    key: string,
    rule: Rule<Said>,
    then: Then<Said, Result>,
  ): Promise<Result> => {
    // What this gate saw last is most often what is there.
    const first = users.getOrAdd(key)
    let value: UserValue | undefined = first.value
    let user = first.user
    let isRead = value !== undefined
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const known = users.getOrAdd(key)
      const now = clock()
      const { repeat } = known
      const begun = repeat.reduce((state, again) => again(state, now, known).user, user)
      const made = rule(begun, now, known)
      if (made.user === user) {
        if (isRead) return then(made.said, known, known.user)
        // Nothing is to be written, but nobody has looked yet.
        value = await values.read(key)
        user = value === undefined ? nobody : readUserText(value.text, offset())
        isRead = true
        continue
      }
      const keepFor = Math.max(SHORTEST, lastsUntil(made.user, times) - now)
      const replaced = await values.replace(key, value, textOfUser(made.user, offset()), keepFor)
      if (replaced.done) {
        const after = users.getOrAdd(key)
        const before = after.user
        after.value = replaced.value
        after.user = made.user
        after.isAlone = false
        after.repeat = after.repeat.slice(repeat.length)
        return then(made.said, after, before)
      }
      value = replaced.now
      isRead = true
      user = value === undefined ? nobody : readUserText(value.text, offset())
    }
    throw new StoreError('timeout', 'other gates change this user all the time')
  }

  return {
    isShared: true,
    change(key, rule, then, repeats = false) {
      if (!values.isUsable(key)) return alone(key, rule, then, repeats)
      const change = async () => {
        try {
          return await together(key, rule, then)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          return alone(key, rule, then, repeats)
        }
      }
      const before = lanes.get(key)
      const changing = before === undefined ? change() : before.then(change, change)
      lanes.set(key, changing)
      const leave = (): void => {
        if (lanes.get(key) === changing) lanes.delete(key)
      }
      changing.then(leave, leave)
      return changing
    },
  }
}
