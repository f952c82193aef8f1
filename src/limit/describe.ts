import { holdsOf } from './outs.ts'
import { playsOf } from './plays.ts'
import { pruned } from './rules.ts'
import type { Terms } from './terms.ts'
import { type LimitedSession, type LimitSettings, movedBy, timesOf, type User } from './user.ts'

/** What a user plays, for people. Times are milliseconds of the monotonic clock. */
export interface UserPlays {
  readonly terms: Terms | undefined
  /** The latest opened first. */
  readonly plays: readonly {
    /** The latest opened first. */
    readonly sessions: readonly string[]
    readonly viewer: string
    readonly place: string
    readonly since: number
    readonly seen: number
    /** `silent`: it counts until somebody needs its place. */
    readonly is: 'playing' | 'silent'
  }[]
}

/** @param offset from the monotonic clock to the user's */
export function describeUser(user: User, now: number, offset: number, settings: LimitSettings): UserPlays {
  const known = movedBy(pruned(user, now + offset, settings), -offset)
  const unseen = Math.max(settings.unseen, ...known.entries.map((entry) => entry.unseen))
  // With SESSION_LIMIT=report all go on.
  const all = { ...known, entries: known.entries.map((entry) => ({ ...entry, told: false })) }
  const plays = playsOf(all, now, timesOf(settings, unseen)).sort((a, b) => b.since - a.since)
  return {
    terms: known.terms,
    plays: plays.map(({ entries, since, seen, isSilent }) => {
      const latest = entries.toSorted((a, b) => b.since - a.since)
      return {
        sessions: latest.map(({ id }) => id),
        viewer: latest[0]?.viewer ?? '',
        place: latest[0]?.place ?? '',
        ...{ since, seen, is: isSilent ? 'silent' : 'playing' },
      }
    }),
  }
}

/** By which session one is out, and until when; undefined where nothing holds it. Times as above. */
export function whyOut(
  user: User,
  session: LimitedSession,
  now: number,
  offset: number,
): { readonly by: string; readonly at: number; readonly until: number } | undefined {
  const [last] = holdsOf(user, session, now + offset).toSorted((a, b) => b.until - a.until)
  return last && { by: last.by, at: last.at - offset, until: last.until - offset }
}
