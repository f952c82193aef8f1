import { overlap } from './limited-session.ts'
import { type LimitedSession, MINUTE, type Out, type Times, type User } from './user.ts'
import { isPlayer } from './viewers.ts'

/** Who is put out for the third time within so long fights for the place; milliseconds. */
const FIGHT = 5 * MINUTE
const ANYWHERE = ''
const MOST_OUTS = 100

/** The user with those that were put out just now. */
export function withOuts(user: User, outs: readonly Out[]): User {
  return { ...user, outs: [...user.outs, ...outs].slice(-MOST_OUTS) }
}

/** For how long, and of what, who is put out now stays out. */
export function outOf({ outs }: User, out: Out, { pause }: Times): Out {
  const isThird = (isOne: (earlier: Out) => boolean, within: number): boolean =>
    new Set(outs.filter((one) => isOne(one) && out.at - one.at < within).map(({ at }) => at)).size >= 2
  if (out.cause === 'moved') {
    // A move keeps nobody out, but for the third within a minute.
    const isQuick = isThird(({ cause, player }) => cause === 'moved' && player === out.player, MINUTE)
    return isQuick ? { ...out, until: out.at + pause } : out
  }
  // Who fights for the place is out everywhere.
  const fights = out.cause === 'other' && isThird((one) => one.cause === 'other' && isPlayer(one, out), FIGHT)
  return fights ? { ...out, place: ANYWHERE, until: out.at + MINUTE } : { ...out, until: out.at + pause }
}

/** What keeps a session out while there is no room, the longest first. */
export function holdsOf({ outs }: User, session: LimitedSession, now: number): readonly Out[] {
  const isHere = ({ place }: Out): boolean => place === ANYWHERE || overlap(place, session.place)
  const holds = outs.filter((out) => out.until > now && isPlayer(out, session) && isHere(out))
  return holds.sort((a, b) => b.until - a.until)
}

/** Whether a session was put out a moment ago: another gate may not have heard of it yet. */
export function isPutOut({ outs }: User, session: string): boolean {
  return outs.some(({ id }) => id === session)
}

/** A try puts off the end of what refuses it; most of those that come all the time change nothing. */
export function withTry(user: User, session: LimitedSession, now: number, { pause }: Times): User {
  const untilOf = ({ place }: Out): number => now + (place === ANYWHERE ? MINUTE : pause)
  const held = holdsOf(user, session, now).filter((out) => untilOf(out) - out.until >= 1_000)
  if (held.length === 0) return user
  return {
    ...user,
    outs: user.outs.map((out) => (held.includes(out) ? { ...out, until: untilOf(out) } : out)),
  }
}

/** Until then something is known of who was put out. */
export function lastsUntil({ at, until }: Out): number {
  return Math.max(until, at + FIGHT)
}
