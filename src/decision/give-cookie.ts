import type { Identity } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import type { SessionSecret } from '../session/session.ts'
import { cookieKeyOf, newSecret, SLOTS } from '../session/session-cookie.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Subrequest } from '../subrequest.ts'

/** What a new session has of a cookie. */
export interface GivenCookie {
  readonly secret: SessionSecret
  /** The value for its viewer; undefined where they have it already, or get none. */
  readonly value: string | undefined
}

/** Most sessions of one cookie. The next opening gets a new one. */
const MOST = 100

/**
 * The cookie of a session that a backend has just allowed; undefined where cookies are off.
 *
 * A cookie that the client sent is only joined when it is known here: nobody may choose one. Nor where the
 * backend names another user: a cookie that somebody has planted in a browser would open what is played
 * there. A film or a stream gets none. A shared cache may keep its answer, and such a session covers nothing
 * but its own URL.
 *
 * @param random 0 to 1, for a slot where nginx names none
 */
export function giveCookie(
  sessions: Pick<SessionTable, 'withCookie'>,
  identity: Identity,
  { origin, site, slot }: Subrequest,
  userId: string,
  now: number,
  random: () => number,
): GivenCookie | undefined {
  const { cookieMode, cookie, path } = identity
  if (cookieMode === undefined) return undefined
  const isStrict = cookieMode === 'strict'
  const secretOf = (key: string): SessionSecret => ({
    ...{ cookie: key, isStrict, onlyFrom: '', givenAt: now, wasSent: false, wasMissed: false },
  })
  if (!isPlaylist(path)) return { secret: secretOf(''), value: undefined }
  if (cookie !== undefined && mayJoin(sessions, cookie, userId))
    return { secret: secretOf(cookie), value: undefined }
  const value = newSecret(slot ?? Math.floor(random() * SLOTS))
  return { secret: secretOf(cookieKeyOf(value, site ?? origin)), value }
}

function mayJoin(sessions: Pick<SessionTable, 'withCookie'>, cookie: string, userId: string): boolean {
  const known = sessions.withCookie(cookie)
  return known.length > 0 && known.length < MOST && known.every((session) => session.userId === userId)
}
