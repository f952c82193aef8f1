import type { Identity } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import { type Session, type SessionSecret, secretOf } from '../session/session.ts'
import { cookieKeyOf, newSecret, SLOTS } from '../session/session-cookie.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Subrequest } from '../subrequest.ts'

/** What a session that a backend has just allowed has of a cookie. */
interface GivenCookie {
  readonly secret: SessionSecret
  /** The value for its viewer; undefined where they have it already, or get none. */
  readonly value: string | undefined
}

/** Gives cookies. `now` is monotonic milliseconds. */
export interface GiveCookie {
  /** To a new session; undefined where cookies are off. */
  toNew(identity: Identity, subrequest: Subrequest, userId: string, now: number): GivenCookie | undefined
  /** A further one to a session of the table; the result is its value, as above. */
  toKnown(session: Session, identity: Identity, subrequest: Subrequest): string | undefined
}

/** Most sessions of one cookie. The next opening gets a new one. */
const MOST_SESSIONS = 100
/** Most cookies of one session. Those go first that nobody has sent. */
const MOST_COOKIES = 8

/**
 * A cookie that the client sent is only joined when it is known here: nobody may choose one. Nor where the
 * backend names another user: a cookie that somebody has planted in a browser would open what is played
 * there. A film or a stream gets none. A shared cache may keep its answer, and such a session covers nothing
 * but its own URL.
 *
 * @param random 0 to 1, for a slot where nginx names none
 */
export function createGiveCookie(
  sessions: Pick<SessionTable, 'withCookie' | 'setCookies'>,
  random: () => number,
): GiveCookie {
  const mayJoin = (cookie: string, userId: string): boolean => {
    const known = sessions.withCookie(cookie)
    return (
      known.length > 0 && known.length < MOST_SESSIONS && known.every((session) => session.userId === userId)
    )
  }

  const give = (
    { cookie }: Identity,
    { origin, site, slot }: Subrequest,
    userId: string,
  ): { readonly key: string; readonly value: string | undefined } => {
    if (cookie !== undefined && mayJoin(cookie, userId)) return { key: cookie, value: undefined }
    const value = newSecret(slot ?? Math.floor(random() * SLOTS))
    return { key: cookieKeyOf(value, site ?? origin), value }
  }

  return {
    toNew(identity, subrequest, userId, now) {
      const { cookieMode, path } = identity
      if (cookieMode === undefined) return undefined
      const isStrict = cookieMode === 'strict'
      const { cookie = '' } = identity
      const carried = cookie !== '' && mayJoin(cookie, userId) ? cookie : ''
      const secret = (keys: readonly string[]) => ({ ...secretOf(keys, isStrict, '', now), carried })
      if (!isPlaylist(path)) return { secret: secret([]), value: undefined }
      const { key, value } = give(identity, subrequest, userId)
      return { secret: secret([key]), value }
    },
    toKnown(session, identity, subrequest) {
      const { cookies, sent } = session.secret ?? secretOf([], false, '', 0)
      const { key, value } = give(identity, subrequest, session.userId)
      const spare = cookies.find((one) => !sent.includes(one)) ?? cookies[0]
      const kept = cookies.length < MOST_COOKIES ? cookies : cookies.filter((one) => one !== spare)
      sessions.setCookies(session, [...kept, key])
      return value
    },
  }
}
