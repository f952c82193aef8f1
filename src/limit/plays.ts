import { contains, overlap } from './place.ts'
import type { Times } from './times.ts'
import type { Entry, LimitedSession } from './user.ts'

/** What counts once: all sessions of one person at one place, or at places that contain one another. */
export interface Play {
  readonly entries: readonly Entry[]
  /** Equal for the plays of one person. */
  readonly person: number
  readonly entered: number
  readonly seen: number
  /** Its viewer has gone to another place. It does not count. */
  readonly left: boolean
  /** It was not requested for so long that it is room for others. */
  readonly silent: boolean
  /** Its viewer came to it again and again within SESSION_IDLE. */
  readonly polled: boolean
  /** If it counts nevertheless, its viewer may be leaving it: they have come to another place since. */
  readonly leaving: boolean
}

/**
 * The plays of a user, the latest entered first.
 *
 * A person is one viewer; and all viewers at one address with the same credential, since a player may use
 * another library for its first request.
 */
export function playsOf(entries: readonly Entry[], now: number, times: Times): Play[] {
  return personsIn(entries)
    .flatMap((own, person) => withLeft(groupsOf(own), person, now, times))
    .sort(latestEnteredFirst)
}

/** The entries of each person. */
function personsIn(entries: readonly Entry[]): (readonly Entry[])[] {
  const [first] = entries
  if (first === undefined) return []
  if (entries.every(({ viewer }) => viewer === first.viewer)) return [entries]
  const personOf = new Map<string, Entry[]>()
  const persons = new Set<Entry[]>()
  for (const entry of entries) {
    let own: Entry[] = []
    for (const sign of signsOf(entry)) {
      const known = personOf.get(sign)
      if (known === undefined || known === own) continue
      // This entry makes two persons one.
      for (const other of own) for (const each of signsOf(other)) personOf.set(each, known)
      known.push(...own)
      persons.delete(own)
      own = known
    }
    own.push(entry)
    persons.add(own)
    for (const sign of signsOf(entry)) personOf.set(sign, own)
  }
  return [...persons]
}

/** Two sessions with a sign in common are of one person. */
function signsOf({ viewer, address, credential }: LimitedSession): string[] {
  return credential === '' ? [`\n${viewer}`] : [`\n${viewer}`, `${address}\n${credential}`]
}

/** The persons whose plays are of the same person as this session: one, or more that it makes one. */
export function ownPersons(plays: readonly Play[], session: LimitedSession): ReadonlySet<number> {
  const signs = new Set(signsOf(session))
  const isSame = (entry: Entry): boolean => signsOf(entry).some((sign) => signs.has(sign))
  return new Set(plays.filter(({ entries }) => entries.some(isSame)).map(({ person }) => person))
}

/** Whether this session would be part of a play, if it is of the same person. */
export function isAt(play: Play, session: LimitedSession): boolean {
  return play.entries.some(({ place }) => overlap(place, session.place))
}

/** One person's sessions by place. In this order all that a directory contains follows it at once. */
function groupsOf(entries: readonly Entry[]): Entry[][] {
  const sorted = [...entries].sort((a, b) => compare(a.place, b.place))
  const groups: Entry[][] = []
  let outer: string | undefined
  for (const entry of sorted) {
    if (outer !== undefined && contains(outer, entry.place)) groups.at(-1)?.push(entry)
    else {
      groups.push([entry])
      outer = entry.place
    }
  }
  return groups
}

/**
 * Which plays of one person count. A play does not when the person came to another place later, and it was
 * not requested GRACE after that. Nor does a short look at another place, less than GRACE, when the person
 * was seen later where they had been for longer.
 *
 * So the latest play counts, or one that is requested after it.
 */
function withLeft(groups: readonly Entry[][], person: number, now: number, times: Times): Play[] {
  const plays = groups.map((entries) => playOf(entries, person, now, times)).sort(latestEnteredFirst)
  const [latest] = plays
  if (latest === undefined || plays.length === 1) return plays
  const isGoneFor = (play: Play, later: Play): boolean => play.seen < later.entered + times.grace
  const hasStayed = (play: Play): boolean => !isGoneFor(play, play)
  const isLeft = (play: Play, at: number): boolean => {
    if (play.polled) return at > 0 && now - play.seen > times.polled
    // Who goes on is not left because the person looks at one place after the other meanwhile. A look that is
    // long over does not count: they came back from it.
    const isOver = (look: Play): boolean =>
      !hasStayed(look) && look.seen < play.seen && now - look.seen >= times.quiet
    for (let later = at - 1; later >= 0; later--) {
      const next = plays[later]
      if (next !== undefined && !isOver(next)) return isGoneFor(play, next)
    }
    return false
  }
  const withLeaving = plays.map((play, at) => ({
    ...play,
    left: isLeft(play, at),
    leaving: at > 0 && isGoneFor(play, latest),
  }))
  const stayed = withLeaving.filter((play) => !play.left && hasStayed(play))
  const stayedUntil = Math.max(...stayed.map(({ seen }) => seen))
  const isPeek = (play: Play): boolean => !play.polled && !hasStayed(play) && play.seen < stayedUntil
  return withLeaving.map((play) => (isPeek(play) ? { ...play, left: true } : play))
}

function playOf(entries: readonly Entry[], person: number, now: number, times: Times): Play {
  let seen = Number.NEGATIVE_INFINITY
  let entered = Number.NEGATIVE_INFINITY
  for (const entry of entries) {
    seen = Math.max(seen, entry.seen)
    entered = Math.max(entered, entry.entered)
  }
  // A play of long responses says nothing while it plays.
  const silent = now - seen >= times.quiet && !entries.every(({ once }) => once)
  const polled = isPolled(entries, now, times)
  return { entries, person, entered, seen, left: false, silent, polled, leaving: false }
}

function isPolled(entries: readonly Entry[], now: number, { idle }: Times): boolean {
  if (entries.reduce((sum, { visits }) => sum + visits.length, 0) < POLLED) return false
  const [third = 0, , last] = lastVisits(entries.flatMap(({ visits }) => visits))
  return last !== undefined && now - third <= idle
}

/** A place that was visited so often within SESSION_IDLE is polled. */
const POLLED = 3

/** The latest three of these times, oldest first. */
export function lastVisits(times: readonly number[]): number[] {
  return [...new Set(times)].sort((a, b) => a - b).slice(-POLLED)
}

function latestEnteredFirst(a: Play, b: Play): number {
  return b.entered - a.entered || compare(newestIdOf(b), newestIdOf(a))
}

/** Decides between plays that were entered in the same millisecond. */
export function newestIdOf({ entries, entered }: Play): string {
  return entries.reduce((id, one) => (one.entered === entered && one.id > id ? one.id : id), '')
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
