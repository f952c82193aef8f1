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
}

/**
 * The plays of a user, the latest entered first.
 *
 * A person is one viewer; and all viewers at one address with the same credential, since a player may use
 * another library for its first request.
 */
export function playsOf(entries: readonly Entry[], now: number, times: Times): Play[] {
  const persons = new Map<number, Entry[]>()
  for (const [at, person] of personsOf(entries).entries()) {
    const own = persons.get(person)
    const entry = entries[at]
    if (entry !== undefined) own === undefined ? persons.set(person, [entry]) : own.push(entry)
  }
  return [...persons]
    .flatMap(([person, own]) => withLeft(groupsOf(own), person, now, times))
    .sort(latestEnteredFirst)
}

/** For each entry the number of its person. */
function personsOf(entries: readonly Entry[]): number[] {
  const parents = entries.map((_, at) => at)
  const rootOf = (at: number): number => {
    let root = at
    for (let next = parents[root]; next !== undefined && next !== root; next = parents[root]) root = next
    parents[at] = root
    return root
  }
  const first = new Map<string, number>()
  for (const [at, entry] of entries.entries()) {
    for (const sign of signsOf(entry)) {
      const earlier = first.get(sign)
      if (earlier === undefined) first.set(sign, at)
      else parents[rootOf(at)] = rootOf(earlier)
    }
  }
  return parents.map((_, at) => rootOf(at))
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
  if (plays.length === 1) return plays
  const hasStayed = (play: Play): boolean => play.seen >= play.entered + times.grace
  const isGone = (play: Play, at: number): boolean => {
    if (play.polled) return at > 0 && now - play.seen > times.polled
    // Who goes on is not left because the person looks at one place after the other meanwhile. A look that is
    // long over does not count: they came back from it.
    const isOver = (look: Play): boolean =>
      !hasStayed(look) && look.seen < play.seen && now - look.seen >= times.quiet
    const next = plays.slice(0, at).findLast((later) => !isOver(later))
    return next !== undefined && play.seen < next.entered + times.grace
  }
  const withGone = plays.map((play, at) => ({ ...play, left: isGone(play, at) }))
  const stayed = withGone.filter((play) => !play.left && hasStayed(play))
  const stayedUntil = Math.max(...stayed.map(({ seen }) => seen))
  const isPeek = (play: Play): boolean => !play.polled && !hasStayed(play) && play.seen < stayedUntil
  return withGone.map((play) => (isPeek(play) ? { ...play, left: true } : play))
}

function playOf(entries: readonly Entry[], person: number, now: number, times: Times): Play {
  const seen = Math.max(...entries.map((entry) => entry.seen))
  const entered = Math.max(...entries.map((entry) => entry.entered))
  const [third = Number.NEGATIVE_INFINITY] = lastVisits(
    entries.flatMap(({ visits }) => visits),
    3,
  )
  // A play of long responses says nothing while it plays.
  const silent = now - seen >= times.quiet && !entries.every(({ once }) => once)
  return { entries, person, entered, seen, left: false, silent, polled: now - third <= times.idle }
}

/** The latest three of these times, oldest first. With `exactly`, none if there are fewer. */
export function lastVisits(times: readonly number[], exactly = 0): number[] {
  const last = [...new Set(times)].sort((a, b) => a - b).slice(-3)
  return last.length < exactly ? [] : last
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
