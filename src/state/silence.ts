import { isPlaylist, type Scope } from '../session/scope.ts'
import type { Session } from '../session/session.ts'

/** What the rules about silent sessions look at. Times are milliseconds of one clock. */
interface Resumable {
  readonly session: Pick<Session, 'id' | 'userId' | 'query' | 'scope' | 'openedAt' | 'lastSeen' | 'activeAt'>
  readonly allowedAt: number
  readonly resumeFor: number
  /** Its end has been told. */
  readonly silent: boolean
  /** Its viewer had gone on to another place when it went silent. */
  readonly hasLeft: boolean
}

/** Resuming ends so long after a backend last allowed the session, in milliseconds. */
export const AFTER_ALLOW = 24 * 3_600_000
/** A session whose viewer has changed to another place may be resumed for so long; milliseconds. */
export const AFTER_LEAVING = 5 * 60_000
/** A play is left when it is not requested for so long after its viewer has entered another; milliseconds. */
const GRACE = 15_000
/** Most silent sessions that one viewer may have for each user, or without a user for each credential. */
const MOST_SILENT = 3

/**
 * Until when a silent session of a viewer may be resumed; 0 = it must not be. Each look costs a walk through
 * all, so it is made only for a session that answers the request.
 * @param all the sessions of its viewer, those that play, too: they say what has been left
 */
export function createResumableUntil<One extends Resumable>(all: readonly One[]): (one: One) => number {
  let later: Map<One, number> | undefined
  /** How many sessions of its group were silent later than each. */
  const countLater = (): Map<One, number> => {
    const counts = new Map<string, number>()
    return new Map(
      [...all]
        .sort((a, b) => b.session.lastSeen - a.session.lastSeen)
        .map((one) => {
          const group = groupOf(one)
          const more = counts.get(group) ?? 0
          if (one.silent) counts.set(group, more + 1)
          return [one, more]
        }),
    )
  }
  return (one) => {
    later ??= countLater()
    if (one.silent && (later.get(one) ?? 0) >= MOST_SILENT) return 0
    const resumeFor =
      one.hasLeft || hasLeft(one, all) ? Math.min(one.resumeFor, AFTER_LEAVING) : one.resumeFor
    return Math.min(one.session.lastSeen + resumeFor, one.allowedAt + AFTER_ALLOW)
  }
}

/** People behind one address with the same player are one viewer. Their users or their credentials differ. */
function groupOf({ session: { userId, query, scope } }: Resumable): string {
  return userId === '' ? `credential ${query}${scope.pathCredential ?? ''}` : `user ${userId}`
}

/** Whether the viewer has gone on to another place, for the same user. */
export function hasLeft(
  { session: one }: Pick<Resumable, 'session'>,
  all: readonly Pick<Resumable, 'session'>[],
): boolean {
  // Any other file may be one long response, and the newer session that of another box behind the address.
  if (!isPlaylist(one.scope.path)) return false
  return all.some(
    ({ session: other }) =>
      other.openedAt > one.openedAt &&
      one.lastSeen < other.openedAt + GRACE &&
      isOneGroup(one, other) &&
      !overlap(one.scope, other.scope),
  )
}

/** As equal `groupOf`. It is called for each pair of sessions, so it builds no text. */
function isOneGroup(a: Resumable['session'], b: Resumable['session']): boolean {
  if (a.userId !== b.userId) return false
  return a.userId !== '' || (a.query === b.query && a.scope.pathCredential === b.scope.pathCredential)
}

/** Whether two sessions are for one place: one channel, or directories of which one holds the other. */
function overlap(a: Scope, b: Scope): boolean {
  const [one, other] = [placeOf(a), placeOf(b)]
  return one === other || one.startsWith(slashed(other)) || other.startsWith(slashed(one))
}

function placeOf({ channel, directory, path }: Scope): string {
  return channel ?? directory ?? path
}

/** Only a directory holds other places. */
function slashed(place: string): string {
  return place.endsWith('/') ? place : `${place}\n`
}
