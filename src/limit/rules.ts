import { contains, overlap } from './limited-session.ts'
import { holdsOf, isPutOut, lastsUntil, outOf, withOuts, withTry } from './outs.ts'
import { hasMoved, hasRoom, isBack, othersOf, type Play, playsOf } from './plays.ts'
import type { Terms } from './terms.ts'
import {
  type Entry,
  type LimitedSession,
  type LimitSettings,
  type Out,
  type Times,
  timesOf,
  type User,
} from './user.ts'
import { goodCookies, isPlayer, joined, ownOf } from './viewers.ts'

/** A session of this gate: since when it has been asked for without a pause, and when last. */
export interface Here {
  readonly session: LimitedSession
  readonly since: number
  readonly seen: number
}

export interface Opening {
  readonly session: LimitedSession
  readonly terms: Terms
  /** Adopted, or told again: it is judged by its age. */
  readonly since?: number | undefined
  readonly seen?: number | undefined
  /** It rides without a credential: it puts nobody out. */
  readonly tokenless?: boolean | undefined
}

/** `here`: all sessions of the user at this gate. */
export type Event = { readonly here?: readonly Here[] } & (
  | (Opening & { readonly what: 'opening' })
  /** A request of who was put out; `own`: with the link that had opened it. */
  | { readonly what: 'try'; readonly session: LimitedSession; readonly own: boolean }
  /** Time has passed. */
  | { readonly what: 'look' }
  /** An allow has brought these. */
  | { readonly what: 'terms'; readonly terms: Terms }
  /** It was closed or denied. An idle end is no event: entries go by `seen` alone. */
  | { readonly what: 'end'; readonly id: string }
)

/** A session that was put out. */
export interface Gone extends Pick<LimitedSession, 'id' | 'viewer' | 'address'> {
  /** The session that made it one too many. */
  readonly by: string
  readonly cause: Out['cause']
  /** It was not asked for any more. */
  readonly left: boolean
}

export interface Outcome {
  readonly user: User
  /**
   * `full`: as many others play, with `refuse`. `held`: it was put out a moment ago, and there is no room.
   * `older`: it is over the number by its age, or has no credential.
   */
  readonly refused?: 'full' | 'held' | 'older'
  readonly gone: readonly Gone[]
}

/**
 * How many at once: the rules of docs/sessions.md. What is known of a user and what happens give what is
 * known from then on, whether it is refused, and who is put out. Nothing is changed in place.
 */
export function change(user: User, event: Event, now: number, settings: LimitSettings): Outcome {
  const times = timesOf(settings, user.entries)
  const known = pruned(withHere(user, event.here ?? [], now, times, settings), now, settings)
  switch (event.what) {
    case 'opening':
      return open(known, event, now, times, settings)
    case 'try':
      return tryAgain(known, event.session, event.own, now, times)
    case 'look':
      return putOut(known, undefined, now, times, settings)
    case 'terms':
      return { user: { ...known, terms: event.terms }, gone: [] }
    case 'end':
      return { user: { ...known, entries: known.entries.filter(({ id }) => id !== event.id) }, gone: [] }
  }
}

function open(before: User, opening: Opening, now: number, times: Times, settings: LimitSettings): Outcome {
  const { terms, since, seen = now, tokenless = false } = opening
  const session = { ...opening.session, cookie: goodCookies(before, now)(opening.session) }
  const user = { ...joined(before, session), terms }
  if (since !== undefined && isPutOut(user, session.id)) return { user, refused: 'older', gone: [] }
  const own = ownOf(user, session)
  const here = own.filter((entry) => overlap(entry.place, session.place) && now - entry.seen < times.pause)
  if (since === undefined && here.length === 0) {
    if (holdsOf(user, session, now).length > 0 && !hasRoom(user, session, now, times))
      return { user: tokenless ? user : withTry(user, session, now, times), refused: 'held', gone: [] }
    const others = othersOf(user, session, now, times).filter((play) => !hasMoved(play, session))
    if (terms.policy === 'refuse' && others.length >= terms.max) return { user, refused: 'full', gone: [] }
  }
  const former = user.entries.find(({ id }) => id === session.id)
  const rest = user.entries.filter((entry) => entry !== former)
  const place = own.find((entry) => contains(entry.place, session.place))?.place ?? session.place
  const entry: Entry = {
    ...{ ...session, place, person: own[0]?.person ?? session.viewer, gate: settings.gate },
    ...{ seen: Math.max(seen, former?.seen ?? seen), unseen: settings.unseen, told: false },
    // Of two openings in one millisecond the second is the newer.
    since:
      since ?? Math.min(...here.map((one) => one.since), Math.max(now, ...rest.map((one) => one.since + 1))),
  }
  // A playlist in the directory of another one belongs to it.
  const isInside = (one: Entry): boolean => one.person === entry.person && contains(place, one.place)
  const entries = mostRecent([...rest.map((one) => (isInside(one) ? { ...one, place } : one)), entry], terms)
  const isAct = since === undefined && !tokenless
  // Who goes to another channel does not try to come back.
  const outs = user.outs.map((out) => (isAct && isPlayer(out, entry) ? { ...out, until: now } : out))
  const outcome = putOut({ ...user, entries, outs }, isAct ? entry : undefined, now, times, settings, user)
  if (tokenless && outcome.gone.length > 0) return { user, refused: 'older', gone: [] }
  const gone = outcome.gone.filter(({ id }) => id !== session.id)
  return gone.length < outcome.gone.length ? { ...outcome, refused: 'older', gone } : outcome
}

/** A request of who was put out. While there is no room nobody is asked about it, and it stays out. */
function tryAgain(user: User, session: LimitedSession, own: boolean, now: number, times: Times): Outcome {
  // Its link is out no more: perhaps somebody has pressed play. The opening decides.
  const isIn = own && holdsOf(user, session, now).length === 0
  if (isIn || hasRoom(user, session, now, times)) return { user, gone: [] }
  return { user: withTry(user, session, now, times), refused: 'held', gone: [] }
}

/**
 * Puts out what is over the number.
 * @param before what was known when `opening` came: the opening has ended what holds its player
 */
function putOut(
  user: User,
  opening: Entry | undefined,
  now: number,
  times: Times,
  { isReport }: LimitSettings,
  before = user,
): Outcome {
  const { max, policy } = user.terms ?? { max: Number.POSITIVE_INFINITY, policy: 'newest' }
  const plays = playsOf(user, now, times)
  if (plays.length <= max) return { user, gone: [] }
  const isItself = (play: Play): boolean =>
    opening !== undefined && (hasMoved(play, opening) || isBack(before, play, opening, now, times))
  const rankOf = (play: Play): number => {
    if (isItself(play)) return 0
    if (play.isSilent) return 1
    // So that nobody else goes for what a viewer plays beside.
    return play.isFurther || play.person === opening?.person ? 2 : 3
  }
  const ageOf = ({ isSilent, seen, since }: Play): number =>
    isSilent ? seen : policy === 'refuse' ? -since : since
  const going = plays
    .filter(({ entries }) => opening === undefined || !entries.includes(opening))
    .sort((a, b) => rankOf(a) - rankOf(b) || ageOf(a) - ageOf(b))
    .slice(0, plays.length - max)
  const staying = plays.filter((play) => !going.includes(play)).sort((a, b) => b.since - a.since)

  const gone: Gone[] = []
  const outs: Out[] = []
  for (const play of going) {
    const own = staying.find(({ person }) => person === play.person)
    const cause = own !== undefined ? 'beside' : isItself(play) ? 'moved' : 'other'
    const by = opening?.id ?? (own ?? staying[0])?.entries.at(-1)?.id ?? ''
    for (const { id, viewer, address, player, place, seen, once } of play.entries) {
      const left = !once && now - seen >= times.recent
      gone.push({ id, viewer, address, by, cause, left })
      if (!left) outs.push(outOf(user, { id, address, player, place, cause, by, at: now, until: now }, times))
    }
  }
  const ids = new Set(gone.map(({ id }) => id))
  const told = user.entries.map((one) => (ids.has(one.id) ? { ...one, told: true } : one))
  if (isReport) return { user: { ...user, entries: told }, gone }
  const entries = user.entries.filter(({ id }) => !ids.has(id))
  return { user: withOuts({ ...user, entries }, outs), gone }
}

/** The user by what this gate has seen. What it has and the user has not is told again, with its true age. */
function withHere(
  user: User,
  here: readonly Here[],
  now: number,
  times: Times,
  { gate, unseen, idle, isReport }: LimitSettings,
): User {
  if (here.length === 0) return user
  const known = new Map(here.map((one) => [one.session.id, one]))
  const cookieOf = goodCookies(user, now)
  const entries = user.entries.map((entry) => {
    const told = known.get(entry.id)
    if (told === undefined) return entry
    known.delete(entry.id)
    // Perhaps it was asked for at another gate meanwhile, whose news is as old as a report.
    const pause = entry.gate === gate ? times.pause : times.recent
    // It is older than it was written where the clock of the store was set back.
    const isOlder = entry.since - told.since > 1_000
    const since = isOlder || told.since - entry.seen >= pause ? told.since : entry.since
    const cookie = entry.cookie || cookieOf(told.session)
    return { ...entry, cookie, since, seen: Math.max(told.seen, entry.seen), gate, unseen }
  })
  let all: User = { ...user, entries }
  // Of a name that everybody has not all are known; nobody is put out for that.
  if (isReport && entries.length >= mostOf(user.terms)) return all
  const isMissing = ({ session, seen }: Here) => now - seen <= idle && !isPutOut(user, session.id)
  const untold = [...known.values()].filter(isMissing)
  // What would be forgotten at once need not be told: it may be a thousand sessions, at each request.
  const missing = mostRecent([...untold, ...entries], user.terms).filter((one) => 'session' in one)
  if (missing.length === 0) return all
  for (const { session: told, since, seen } of missing) {
    const session = { ...told, cookie: goodCookies(all, now)(told) }
    all = joined(all, session)
    const person = ownOf(all, session)[0]?.person ?? session.viewer
    const entry = { ...session, person, since, seen, gate, unseen, told: false }
    all = { ...all, entries: [...all.entries, entry] }
  }
  return { ...all, entries: mostRecent(all.entries, user.terms) }
}

/** Sessions over this number are forgotten, the longest silent first, and told again when asked for. */
const mostOf = (terms: Terms | undefined): number => Math.max(512, 2 * (terms?.max ?? 0))

function mostRecent<One extends { readonly seen: number }>(
  all: readonly One[],
  terms: Terms | undefined,
): readonly One[] {
  const most = mostOf(terms)
  return all.length <= most ? all : all.toSorted((a, b) => a.seen - b.seen).slice(-most)
}

/** The user without what is over. The same object if nothing is. */
export function pruned(user: User, now: number, { idle }: Pick<LimitSettings, 'idle'>): User {
  const entries = user.entries.filter(({ seen }) => now - seen <= idle)
  const outs = user.outs.filter((out) => lastsUntil(out) > now)
  const isSame = entries.length === user.entries.length && outs.length === user.outs.length
  return isSame ? user : { ...user, entries, outs }
}
