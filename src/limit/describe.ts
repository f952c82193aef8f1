import { playsOf } from './plays.ts'
import { pruned } from './rules.ts'
import { type LimitSettings, movedBy, timesOf, type User } from './user.ts'

/**
 * What a user plays, for people, the latest opened first. Times are milliseconds of the monotonic clock;
 * `session` is the latest of a play, and what is `silent` counts until somebody needs its place.
 * @param offset from the monotonic clock to the user's
 */
export function describeUser(user: User, now: number, offset: number, settings: LimitSettings) {
  const known = movedBy(pruned(user, now + offset, settings), -offset)
  // With SESSION_LIMIT=report all go on.
  const all = { ...known, entries: known.entries.map((entry) => ({ ...entry, told: false })) }
  const plays = playsOf(all, now, timesOf(settings, known.entries)).sort((a, b) => b.since - a.since)
  return {
    terms: known.terms,
    plays: plays.map(({ entries, since, seen, isSilent }) => {
      const [latest] = entries.toSorted((a, b) => b.since - a.since)
      const { id: session = '', viewer = '', place = '' } = latest ?? {}
      return {
        session,
        viewer,
        place,
        since,
        seen,
        is: isSilent ? ('silent' as const) : ('playing' as const),
      }
    }),
  }
}
