import { type DisplacedSession, displace, withShared } from './displace.ts'
import { lastVisits, playsOf } from './plays.ts'
import { prune } from './prune.ts'
import type { Times } from './times.ts'
import type { Entry, User } from './user.ts'

/** When a session was requested last. */
export interface Seen {
  readonly id: string
  readonly seen: number
}

export interface Look {
  /** The user's state from now on. */
  readonly user: User
  /** Sessions that are over the number now. End them. */
  readonly displaced: readonly DisplacedSession[]
}

/**
 * Whether a user has several sessions. Such users need a look every `report` milliseconds, since who comes
 * back to a play is seen by its silence; for all others one every half SESSION_IDLE will do. So no request
 * needs one.
 * @param isShared other gates see by these looks alone who plays, also of a user with one session
 */
export function needsLook({ entries, terms }: User, isShared = false): boolean {
  return terms !== undefined && entries.length > (isShared ? 0 : 1)
}

/**
 * What a user's sessions have been doing: tells who goes on and who came back, and displaces what is too
 * many. Tell all sessions of the user that this caller knows, at the same moment: what is told late looks
 * silent.
 */
export function look(user: User, now: number, seen: readonly Seen[], times: Times): Look {
  const told = prune(withSeen(user, now, seen, times), now, times)
  const { terms } = told
  if (terms === undefined || told.entries.length <= terms.max) return { user: told, displaced: [] }
  if (told.sharedUntil > now) return { user: withShared(told, now), displaced: [] }
  return displace(told, terms, undefined, now, times)
}

/** Sessions that the state does not know, nor that they were ended. Admit them with their true ages. */
export function unknownTo(
  { entries, marks }: User,
  now: number,
  seen: readonly Seen[],
  times: Times,
): string[] {
  const known = new Set([...entries, ...marks].map(({ id }) => id))
  return seen.filter((one) => !known.has(one.id) && now - one.seen <= times.idle).map(({ id }) => id)
}

/**
 * The user with these times. A play that was left or silent for long, and is requested again, is entered
 * anew by its viewer.
 */
export function withSeen(user: User, now: number, seen: readonly Seen[], times: Times): User {
  if (seen.length === 0 || user.entries.length === 0) return user
  const seenOf = new Map(seen.map((one) => [one.id, one.seen]))
  const back = entriesOfReturns(user, now, seenOf, times)
  const entries = user.entries.map((entry) => {
    const told = seenOf.get(entry.id)
    if (told === undefined) return entry
    const last = Math.max(entry.seen, told)
    const entered = back?.get(entry)
    if (entered === undefined) return { ...entry, seen: last, looked: now }
    const visits = lastVisits([...entry.visits, entered])
    return { ...entry, seen: last, looked: now, entered, visits }
  })
  return { ...user, entries }
}

/** The entries that are requested again after their play was left or silent for long, and since when. */
function entriesOfReturns(
  user: User,
  now: number,
  seenOf: ReadonlyMap<string, number>,
  times: Times,
): ReadonlyMap<Entry, number> | undefined {
  const silenceOf = ({ id, seen }: Entry): number => (seenOf.get(id) ?? seen) - seen
  // Most looks end here: a play is silent for no longer than each of its sessions.
  if (!user.entries.some((entry) => silenceOf(entry) >= times.back)) return undefined
  const back = new Map<Entry, number>()
  for (const play of playsOf(user.entries, now, times)) {
    const latest = Math.max(...play.entries.map((entry) => seenOf.get(entry.id) ?? entry.seen))
    const looked = Math.max(...play.entries.map((entry) => entry.looked))
    // Of a time in which nobody looked nothing is known: it may have been requested all the while.
    const silence = latest - play.seen - Math.max(0, now - looked - times.report)
    const isLong = silence >= times.quiet && !play.entries.every(({ once }) => once)
    const wasElsewhere = play.left || play.leaving
    if (!isLong && !(wasElsewhere && silence >= times.back)) continue
    for (const entry of play.entries) if ((seenOf.get(entry.id) ?? 0) > play.seen) back.set(entry, latest)
  }
  return back
}
