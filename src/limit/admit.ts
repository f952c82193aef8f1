import { type DisplacedSession, displace, withShared } from './displace.ts'
import { hasMoved } from './excess.ts'
import { afterTry, hasNoRoom, holdsOn, withoutHoldsOf } from './holds.ts'
import { type Seen, withSeen } from './look.ts'
import { overlap } from './place.ts'
import { isAt, lastVisits, ownPersons, type Play, playsOf } from './plays.ts'
import { mostEntries, prune } from './prune.ts'
import type { Terms } from './terms.ts'
import type { Times } from './times.ts'
import type { Entry, LimitedSession, User } from './user.ts'

/** How a session comes. Times are whole milliseconds of the same clock as `now`. */
export interface Coming {
  /** Adopted from a store, or told again: when its viewer entered. It is judged by its age, and not held. */
  readonly entered?: number
  /** When it was requested last; `now` if it is not given. */
  readonly seen?: number
  /** Resumed by a request without a credential: it displaces nobody. */
  readonly tokenless?: boolean
  /** When the user's other sessions were requested last. What is told late looks silent. */
  readonly others?: readonly Seen[]
}

/**
 * Why a session is not let in. `ended`: it was ended under this id. `full`: as many others play, with
 * `refuse`. `held`: it was displaced a moment ago, and there is no room. `older`: an adopted session that is
 * over the number by its age, or one that was resumed without a credential.
 */
export type Refusal = 'ended' | 'full' | 'held' | 'older'

export interface Admission {
  /** The user's state from now on. To rehearse, drop it. */
  readonly user: User
  /** Undefined: it is let in. */
  readonly refused: Refusal | undefined
  /** Sessions that are over the number now. End them. */
  readonly displaced: readonly DisplacedSession[]
}

/**
 * A session is opened, resumed, adopted, or taken up again by its opener's URL: is there a place for it, and
 * who gives way? Call it when the backend has allowed the session, before it is opened.
 */
export function admit(
  user: User,
  now: number,
  session: LimitedSession,
  terms: Terms,
  times: Times,
  coming: Coming = {},
): Admission {
  const { seen = now, tokenless = false, others = [] } = coming
  const before = { ...prune(withSeen(user, now, others, times), now, times), terms }
  if (before.marks.some(({ id }) => id === session.id))
    return { user: before, refused: 'ended', displaced: [] }
  if (before.sharedUntil > now) return enterShared(before, session, now, seen)

  const plays = playsOf(before.entries, now, times)
  const own = ownPersons(plays, session)
  const homes = plays.filter((play) => own.has(play.person) && isAt(play, session))
  const goingOn = homes.find(({ left, silent }) => !left && !silent)
  const isAdopted = coming.entered !== undefined
  if (goingOn === undefined && !isAdopted) {
    const isHeld = holdsOn(before, session, now).length > 0
    if (isHeld && hasNoRoom(plays, terms.max, session, now, times)) {
      const tried = tokenless ? before : afterTry(before, session, now, times)
      return { user: tried, refused: 'held', displaced: [] }
    }
    if (terms.policy === 'refuse' && isFull(plays, own, terms, session))
      return { user: before, refused: 'full', displaced: [] }
  }

  const known = before.entries.find(({ id }) => id === session.id)
  const isEntry = goingOn === undefined && !isAdopted
  const entered = isAdopted
    ? Math.max(coming.entered, known?.entered ?? coming.entered)
    : (goingOn?.entered ?? Math.max(now, ...before.entries.map((entry) => entry.entered + 1)))
  const visits = isEntry ? lastVisits([...visitsOf(before, homes, session), entered]) : (known?.visits ?? [])
  const lastSeen = Math.max(seen, known?.seen ?? seen)
  const entry = { ...session, entered, seen: lastSeen, looked: now, visits, tokenless }
  const cleared = isEntry && !tokenless ? withoutHoldsOf(before, session) : before
  return enter(cleared, entry, terms, times, now, isAdopted || tokenless ? 'by age' : 'opening')
}

function enter(
  before: User,
  entry: Entry,
  terms: Terms,
  times: Times,
  now: number,
  how: 'opening' | 'by age',
): Admission {
  const entries = [...before.entries.filter(({ id }) => id !== entry.id), entry]
  const user = { ...before, entries }
  const result = displace(user, terms, how === 'opening' ? entry.id : undefined, now, times)
  if (entry.tokenless && result.displaced.length > 0) return { user: before, refused: 'older', displaced: [] }
  const refused = result.displaced.some(({ id }) => id === entry.id) ? 'older' : undefined
  const displaced = result.displaced.filter(({ id }) => id !== entry.id)
  return { user: bounded(result.user, now, terms, times), refused, displaced }
}

/** While the limit is suspended everybody is let in. */
function enterShared(before: User, session: LimitedSession, now: number, seen: number): Admission {
  const others = before.entries.filter(({ id }) => id !== session.id)
  const entry = { ...session, entered: now, seen, looked: now, visits: [], tokenless: false }
  const entries = [...others, entry].slice(-mostEntries(before.terms?.max ?? 0))
  return { user: withShared({ ...before, entries }, now), refused: undefined, displaced: [] }
}

/** With `refuse`: whether so many others play, and this is none of them who has moved. */
function isFull(
  plays: readonly Play[],
  own: ReadonlySet<number>,
  { max }: Terms,
  session: LimitedSession,
): boolean {
  const others = plays.filter((play) => !play.left && !play.silent && !own.has(play.person))
  return others.length >= max && !others.some((play) => hasMoved(play, session))
}

/** When the person came to this place before, also before they were displaced from there. */
function visitsOf(user: User, homes: readonly Play[], session: LimitedSession): number[] {
  const holds = user.holds.filter(
    ({ player, address, place }) =>
      player === session.player && address === session.address && overlap(place, session.place),
  )
  return [...homes.flatMap(({ entries }) => entries), ...holds].flatMap(({ visits }) => visits)
}

/** The user within the bound: what was left is forgotten first, then what was silent longest. */
function bounded(user: User, now: number, { max }: Terms, times: Times): User {
  const over = user.entries.length - mostEntries(max)
  if (over <= 0) return user
  const plays = playsOf(user.entries, now, times)
  const left = new Set(plays.filter((play) => play.left).flatMap(({ entries }) => entries))
  const order = [...user.entries].sort((a, b) => Number(left.has(b)) - Number(left.has(a)) || a.seen - b.seen)
  const forgotten = new Set(order.slice(0, over))
  return { ...user, entries: user.entries.filter((entry) => !forgotten.has(entry)) }
}
