import { endsBetween, withEnds } from '../limit/ends.ts'
import { lastsUntil } from '../limit/prune.ts'
import type { Times } from '../limit/times.ts'
import { nobody } from '../limit/user.ts'
import { StoreError } from '../state/record-store.ts'
import type { Replaced, UserValue, UserValues } from '../state/shared-store.ts'
import type { Change, Rule, Then, UserStates } from './user-states.ts'
import type { UserTable } from './user-table.ts'
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
 * The same rules for all gates: each applies them to the text that all share, and puts the result in its
 * place if no other gate was faster. So the changes of a user have one order. While the store is away each
 * gate goes on with what it knows.
 */
export function createSharedStates(options: SharedStatesOptions): UserStates {
  const { users, values, clock, offset, times, onAlone } = options
  /** The last change of each user that is under way: one waits for the other. */
  const lanes = new Map<string, Promise<unknown>>()

  const alone = <Said, Result>({ key, rule, repeats }: Change<Said>, then: Then<Said, Result>): Result => {
    const known = users.getOrAdd(key)
    const { user: before, sessions } = known
    const now = clock()
    const { user, said } = rule(before, now, known)
    const ends = endsBetween(before, user, (id) => sessions.has(id))
    const again: Rule<unknown> | undefined =
      repeats ?? (ends && ((there) => ({ user: withEnds(there, ends), said: null })))
    if (again !== undefined) known.repeat = [...known.repeat, again].slice(-MOST_REPEATED)
    if (user !== before || again !== undefined) {
      known.user = user
      known.aloneAt = now
    }
    onAlone()
    return then(said, known, before)
  }

  /** @throws {StoreError} */
  const together = async <Said, Result>(
    { key, rule }: Change<Said>,
    then: Then<Said, Result>,
  ): Promise<Result> => {
    // What this gate saw last is most often what is there.
    const first = users.getOrAdd(key)
    let value: UserValue | undefined = first.value
    let user = first.user
    let isThere = false
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const known = users.getOrAdd(key)
      const now = clock()
      const { repeat, user: here } = known
      const begun = repeat.reduce((state, again) => again(state, now, known).user, user)
      const made = rule(begun, now, known)
      const isTold = made.user === user && (isThere || known.aloneAt === undefined)
      const replaced = isTold
        ? await compare(key, value, isThere)
        : await values.replace(
            key,
            value,
            textOfUser(made.user, offset()),
            Math.max(SHORTEST, lastsUntil(made.user, times) - now),
          )
      if (replaced.done) {
        const after = users.getOrAdd(key)
        const before = after.user
        after.value = replaced.value
        after.user = made.user
        after.repeat = after.repeat.filter((again) => !repeat.includes(again))
        // It may have been changed alone meanwhile.
        if (before === here) after.aloneAt = undefined
        return then(made.said, after, before)
      }
      isThere = true
      value = replaced.now
      user = value === undefined ? nobody : readUserText(value.text, offset())
    }
    throw new StoreError('timeout', 'other gates change this user all the time')
  }

  /** What changes nothing holds only for what is there now. */
  const compare = async (
    key: string,
    value: UserValue | undefined,
    isThere: boolean,
  ): Promise<Replaced | { readonly done: true; readonly value: undefined }> => {
    const now = isThere ? value : await values.read(key)
    if (value === undefined) return now === undefined ? { done: true, value } : { done: false, now }
    return now?.version.equals(value.version) === true ? { done: true, value } : { done: false, now }
  }

  return {
    isShared: true,
    change(change, then) {
      const { key } = change
      if (!values.isUsable(key)) return alone(change, then)
      const inTurn = async () => {
        if (!values.isUsable(key)) return alone(change, then)
        try {
          return await together(change, then)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          return alone(change, then)
        }
      }
      const before = lanes.get(key)
      const changing = before === undefined ? inTurn() : before.then(inTurn, inTurn)
      lanes.set(key, changing)
      const leave = (): void => {
        if (lanes.get(key) === changing) lanes.delete(key)
      }
      changing.then(leave, leave)
      return changing
    },
  }
}
