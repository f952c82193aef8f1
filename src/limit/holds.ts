import { overlap } from './place.ts'
import { isAt, lastVisits, ownPersons, type Play } from './plays.ts'
import type { Times } from './times.ts'
import { type Cause, type Entry, type Hold, type LimitedSession, MINUTE, type User } from './user.ts'

/** The holds that keep a session out while there is no room. */
export function holdsOn(user: User, session: LimitedSession, now: number): readonly Hold[] {
  return user.holds.filter((hold) => holdsUrl(hold, session, now) || holdsComeBack(hold, session, now))
}

function holdsUrl(hold: Hold, { player, credential, place }: LimitedSession, now: number): boolean {
  const isSame = credential !== '' && hold.credential === credential && hold.player === player
  return hold.urlUntil > now && isSame && overlap(hold.place, place)
}

function holdsComeBack(hold: Hold, session: LimitedSession, now: number): boolean {
  return hold.comeBackUntil > now && isSamePlayer(hold, session) && overlap(hold.place, session.place)
}

function isSamePlayer(hold: Hold, { address, player }: LimitedSession): boolean {
  return hold.address === address && hold.player === player
}

/** A try that is refused puts off the end of what refused it. */
export function afterTry(user: User, session: LimitedSession, now: number, times: Times): User {
  const holds = user.holds.map((hold) => ({
    ...hold,
    urlUntil: holdsUrl(hold, session, now) ? now + times.hold : hold.urlUntil,
    comeBackUntil: holdsComeBack(hold, session, now) ? now + times.comeBack : hold.comeBackUntil,
  }))
  return { ...user, holds }
}

/**
 * Whether so many others play that a held session stays out. What the same person leaves by opening it is
 * no obstacle, once it is silent for GRACE.
 */
export function hasNoRoom(
  plays: readonly Play[],
  max: number,
  session: LimitedSession,
  now: number,
  times: Times,
): boolean {
  const own = ownPersons(plays, session)
  const others = plays.filter((play) => {
    if (play.left || play.silent) return false
    if (!own.has(play.person)) return true
    return !isAt(play, session) && (play.polled || now - play.seen < times.grace)
  })
  return others.length >= max
}

/** A person who went to another place does not try to come back: their holds end. */
export function withoutHoldsOf(user: User, session: LimitedSession): User {
  const stays = (hold: Hold): boolean =>
    hold.cause !== 'other' || !isSamePlayer(hold, session) || overlap(hold.place, session.place)
  return user.holds.every(stays) ? user : { ...user, holds: user.holds.filter(stays) }
}

/** How often within its time a viewer may be displaced by themselves before they are held. */
const FREE = 2

/** The hold on a session that was displaced while it played. It takes the place of an older one. */
export function holdOf(user: User, entry: Entry, cause: Cause, by: string, now: number, times: Times): Hold {
  const { address, player, credential, place, visits } = entry
  const earlier = user.holds.filter((hold) => isSamePlayer(hold, entry) && overlap(hold.place, place))
  const displaced = earlier.flatMap((hold) => hold.times).filter((at) => now - at <= times.idle)
  // Who switches quickly between two channels is a person.
  const isCounted = cause === 'other' || cause === 'moved' || now - Math.max(...displaced) >= times.grace
  const all = lastVisits(isCounted ? [...displaced, now] : displaced)
  const isHeld =
    cause === 'other' || (cause === 'moved' ? movesOf(user, entry, now) >= FREE : all.length > FREE)
  return {
    address,
    player,
    credential,
    place,
    cause,
    by,
    urlUntil: isHeld && cause !== 'moved' ? now + times.hold : 0,
    comeBackUntil: isHeld ? now + times.comeBack : 0,
    times: all,
    visits,
  }
}

/** How often this player with this credential has moved between addresses in the last minute. */
function movesOf(user: User, { player, credential }: Entry, now: number): number {
  const moves = user.holds
    .filter((hold) => hold.cause === 'moved' && hold.player === player && hold.credential === credential)
    .flatMap((hold) => hold.times)
  // Several sessions of one play have moved at the same time.
  return new Set(moves.filter((at) => now - at <= MINUTE && at !== now)).size
}

/** The user with one more hold. */
export function withHold(user: User, hold: Hold): User {
  const others = user.holds.filter(
    (other) =>
      other.address !== hold.address ||
      other.player !== hold.player ||
      other.place !== hold.place ||
      other.credential !== hold.credential,
  )
  return { ...user, holds: [...others, hold] }
}
