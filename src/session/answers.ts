import { clientIn, type Identity } from './identity.ts'
import { covers, isOwn, mayRide } from './scope.ts'
import type { Session } from './session.ts'

type Asked = Pick<Session, 'query' | 'channel' | 'path' | 'pathCredential' | 'directory' | 'secret'>

/** Whether a request carries a cookie of this session. */
export function hasCookieOf({ secret }: Pick<Session, 'secret'>, { cookie, viewer }: Identity): boolean {
  if (cookie === undefined || secret === undefined || !secret.cookies.includes(cookie)) return false
  return secret.onlyFrom === '' || secret.onlyFrom === clientIn(viewer)
}

/** Whether the session is strict, and this request does not carry its cookie. */
export function lacksCookie(session: Pick<Session, 'secret'>, asked: Identity): boolean {
  return session.secret?.isStrict === true && !hasCookieOf(session, asked)
}

/**
 * Whether a session answers a request of its viewer, or of who has its cookie: as its own, or as a rider. A
 * strict session answers nothing without its cookie but the URL that opened it: who has that URL has its
 * credential. Without a credential it must be the very path, since a channel has many.
 */
export function answers(session: Asked, asked: Identity): boolean {
  // Another place of the same cookie has a session of its own.
  if (session.secret?.onlyFrom && !hasCookieOf(session, asked)) return false
  const own = isOwn(session, asked)
  if (lacksCookie(session, asked)) return own && (asked.credential || asked.path === session.path)
  return own || (mayRide(asked, session) && covers(session, asked))
}
