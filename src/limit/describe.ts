import { holdsOn } from './holds.ts'
import { playsOf } from './plays.ts'
import { prune } from './prune.ts'
import type { Terms } from './terms.ts'
import type { Times } from './times.ts'
import type { Hold, LimitedSession, Mark, User } from './user.ts'

/** What a user plays, for people. Times are whole milliseconds of the caller's clock. */
export interface UserPlays {
  readonly terms: Terms | undefined
  /** How many plays count. */
  readonly count: number
  /** The limit is suspended until then, since the name is shared; undefined = it is not. */
  readonly sharedUntil: number | undefined
  /** The latest entered first. */
  readonly plays: readonly {
    /** The latest entered first. */
    readonly sessions: readonly string[]
    readonly viewer: string
    readonly place: string
    readonly since: number
    readonly seen: number
    /** `left` does not count; `silent` counts until somebody needs its place. */
    readonly is: 'playing' | 'silent' | 'left'
  }[]
}

export function describeUser(user: User, now: number, times: Times): UserPlays {
  const { entries, terms, sharedUntil } = prune(user, now, times)
  const plays = playsOf(entries, now, times)
  return {
    terms,
    count: plays.filter(({ left }) => !left).length,
    sharedUntil: sharedUntil === 0 ? undefined : sharedUntil,
    plays: plays.map((play) => {
      const sessions = [...play.entries].sort((a, b) => b.entered - a.entered)
      return {
        sessions: sessions.map(({ id }) => id),
        viewer: sessions[0]?.viewer ?? '',
        place: sessions[0]?.place ?? '',
        since: play.entered,
        seen: play.seen,
        is: play.left ? 'left' : play.silent ? 'silent' : 'playing',
      }
    }),
  }
}

/** Why a session is out: that it was ended, and what holds it. Both may be empty: then it is not out. */
export function whyOut(
  user: User,
  now: number,
  session: LimitedSession,
  times: Times,
): { readonly mark: Mark | undefined; readonly holds: readonly Hold[] } {
  const known = prune(user, now, times)
  return { mark: known.marks.find(({ id }) => id === session.id), holds: holdsOn(known, session, now) }
}
