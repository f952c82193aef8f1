import type { Times } from './times.ts'
import { type Hold, MINUTE, type User } from './user.ts'

/**
 * Bounds of one user's state. Sessions over the bound are forgotten, not ended; when one is requested again
 * it is admitted again. Marks of closed and denied sessions have no bound but their time.
 */
const MAX_ENTRIES = 512
const MAX_MARKS = 1_000
const MAX_HOLDS = 1_000
const MAX_CUTS = 128

export function mostEntries(max: number): number {
  return Math.max(MAX_ENTRIES, 2 * max)
}

/** Whether nothing is left of a user, so that the caller may forget them. */
export function isEmpty({ entries, marks, holds, cuts, sharedUntil }: User): boolean {
  return entries.length + marks.length + holds.length + cuts.length === 0 && sharedUntil === 0
}

/** When nothing will be left of a user if nothing more is heard of them. */
export function lastsUntil(user: User, times: Times): number {
  return Math.max(
    user.sharedUntil,
    ...user.entries.map(({ seen }) => seen + times.idle + 1),
    ...user.marks.map(({ until }) => until),
    ...user.holds.map((hold) => holdUntil(hold, times)),
    ...user.cuts.map(({ at }) => at + MINUTE),
  )
}

function holdUntil({ urlUntil, comeBackUntil, times: displaced }: Hold, { idle }: Times): number {
  return Math.max(urlUntil, comeBackUntil, ...displaced.map((at) => at + idle))
}

/** The user without what is over at `now`, and within the bounds. The same object if nothing is over. */
export function prune(user: User, now: number, times: Times): User {
  const entries = kept(user.entries, ({ seen }) => now - seen <= times.idle)
  const marks = latest(
    kept(user.marks, ({ until }) => until > now),
    MAX_MARKS,
    ({ why }) => why === 'displaced',
  )
  const holds = latest(
    kept(user.holds, (hold) => holdUntil(hold, times) > now),
    MAX_HOLDS,
  )
  const cuts = latest(
    kept(user.cuts, ({ at }) => at + MINUTE > now),
    MAX_CUTS,
  )
  const sharedUntil = user.sharedUntil > now ? user.sharedUntil : 0
  const isSame =
    entries === user.entries &&
    marks === user.marks &&
    holds === user.holds &&
    cuts === user.cuts &&
    sharedUntil === user.sharedUntil
  return isSame ? user : { ...user, entries, marks, holds, cuts, sharedUntil }
}

function kept<Item>(items: readonly Item[], stays: (item: Item) => boolean): readonly Item[] {
  return items.every(stays) ? items : items.filter(stays)
}

/** The last `max` of the items that may go, and all others. */
function latest<Item>(
  items: readonly Item[],
  max: number,
  mayGo: (item: Item) => boolean = () => true,
): readonly Item[] {
  if (items.length <= max) return items
  let over = items.filter(mayGo).length - max
  return items.filter((item) => !(mayGo(item) && over-- > 0))
}
