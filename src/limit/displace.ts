import { excess, hasMoved, leftBehind, type Opening } from './excess.ts'
import { holdOf, withHold } from './holds.ts'
import { type Play, playsOf } from './plays.ts'
import type { Terms } from './terms.ts'
import type { Times } from './times.ts'
import { type Cause, MINUTE, type User } from './user.ts'

/** A session that the limit has ended, and why. */
export interface DisplacedSession {
  readonly id: string
  /** The session that made it one too many. */
  readonly by: string
  readonly cause: Cause
  /** Its viewer had left it before. It goes with what they played. */
  readonly left: boolean
}

/** A user displaced from more addresses within a minute is a shared name. */
const MOST_ADDRESSES = 10
/** For how long the limit is then suspended at least. */
const SHARED = 10 * MINUTE

export interface Displacement {
  readonly user: User
  readonly displaced: readonly DisplacedSession[]
}

/**
 * Ends the plays that are over the number: they leave the user's state, marked, and those that played are
 * held.
 * @param openedId the entry whose opening makes them too many; undefined where they have grown too many
 */
export function displace(
  user: User,
  terms: Terms,
  openedId: string | undefined,
  now: number,
  times: Times,
): Displacement {
  const plays = playsOf(user.entries, now, times)
  const opening = openedId === undefined ? undefined : openingOf(plays, openedId)
  const over = excess(plays, terms, opening)
  if (over.length === 0) return { user, displaced: [] }

  const displaced: DisplacedSession[] = []
  const reasons = new Map<number, Reason>()
  let held = user
  for (const play of over) {
    const reason = reasonFor(play, plays, over, opening)
    reasons.set(play.person, reason)
    for (const entry of play.entries) {
      displaced.push({ id: entry.id, ...reason, left: false })
      if (play.silent || entry.tokenless) continue
      held = withHold(held, holdOf(user, entry, reason.cause, reason.by, now, times))
    }
  }
  for (const { entries, person } of leftBehind(plays, over, opening)) {
    const reason = reasons.get(person)
    if (reason !== undefined) for (const { id } of entries) displaced.push({ id, ...reason, left: true })
  }
  const state = counted(without(held, displaced, now, times), user, displaced, now)
  // What a play had hidden may count now.
  const rest = displace(state, terms, openedId, now, times)
  return { user: rest.user, displaced: [...displaced, ...rest.displaced] }
}

type Reason = Pick<DisplacedSession, 'cause' | 'by'>

function openingOf(plays: readonly Play[], id: string): Opening | undefined {
  for (const play of plays)
    for (const session of play.entries) if (session.id === id) return { session, play }
  return undefined
}

/** Why a play goes: because of the opening, else of what its viewer plays beside it, else of the latest. */
function reasonFor(
  play: Play,
  plays: readonly Play[],
  over: readonly Play[],
  opening: Opening | undefined,
): Reason {
  if (opening !== undefined) {
    const { session } = opening
    if (opening.play.person === play.person) return { cause: 'zap', by: session.id }
    return { cause: hasMoved(play, session) ? 'moved' : 'other', by: session.id }
  }
  const staying = plays.filter((other) => !other.left && !over.includes(other))
  const by = staying.find(({ person }) => person === play.person) ?? staying[0]
  const cause = by?.person === play.person ? 'beside' : 'other'
  return { cause, by: by?.entries.find(({ entered }) => entered === by.entered)?.id ?? '' }
}

/** The user without these sessions, which are marked as displaced. */
function without(user: User, displaced: readonly DisplacedSession[], now: number, times: Times): User {
  const gone = new Set(displaced.map(({ id }) => id))
  const marks = displaced.map(
    ({ id, by }) => ({ id, why: 'displaced', at: now, until: now + times.mark, by }) as const,
  )
  const entries = user.entries.filter(({ id }) => !gone.has(id))
  return { ...user, entries, marks: [...user.marks.filter(({ id }) => !gone.has(id)), ...marks] }
}

/** Notes the addresses from which others displaced the user; too many of them suspend the limit. */
function counted(user: User, before: User, displaced: readonly DisplacedSession[], now: number): User {
  const addresses = displaced
    .filter(({ left, cause }) => !left && (cause === 'other' || cause === 'moved'))
    .flatMap(({ id }) => before.entries.find((entry) => entry.id === id)?.address ?? [])
  if (addresses.length === 0) return user
  const known = new Set(addresses)
  const cuts = [
    ...user.cuts.filter(({ address, at }) => at + MINUTE > now && !known.has(address)),
    ...[...known].map((address) => ({ address, at: now })),
  ]
  return { ...user, cuts, sharedUntil: cuts.length > MOST_ADDRESSES ? now + SHARED : user.sharedUntil }
}

/** Puts off the end of the suspension, while plays come from as many addresses. */
export function withShared(user: User, now: number): User {
  const addresses = new Set(user.entries.map(({ address }) => address))
  return addresses.size > MOST_ADDRESSES ? { ...user, sharedUntil: now + SHARED } : user
}
