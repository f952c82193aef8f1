import { hasCookieOf } from './answers.ts'
import type { CookieIndex } from './cookie-index.ts'
import { clientIn, type Identity } from './identity.ts'
import { isOwn } from './scope.ts'
import type { Session } from './session.ts'

/** Who is not requested for so long has left, as the limit of a user counts it; milliseconds. */
export const PAUSE = 20_000

/** Who hears of session cookies. */
export interface CookieWatch {
  /** A cookie came from an address of another group than before: `from`, as far as that is known. */
  moved(session: Session, from: string): void
  /** A cookie is sent from two clients of one family, for longer than a minute. Each cookie is told once. */
  shared(sessions: readonly Session[], clients: readonly [string, string]): void
  /** For the first time a session was ridden without its cookie. */
  missed(session: Session): void
}

/**
 * Builds what notes in a session that it answers a request: when, and from which address. `now` is monotonic
 * milliseconds. A watch may end the session.
 * @param isPause whether a time without requests, which is PAUSE or more, was a pause
 */
export function createSee(
  cookies: Pick<CookieIndex, 'of' | 'sentFrom'>,
  watch: CookieWatch | undefined,
  isPause: (session: Session, now: number) => boolean,
) {
  return (session: Session, identity: Identity, now: number): void => {
    if (now - session.lastSeen >= PAUSE && isPause(session, now)) session.since = now
    session.lastSeen = now
    const { secret, address } = session
    if (secret === undefined || secret.cookies.length === 0) {
      if (address !== identity.address) session.address = identity.address
    } else if (!hasCookieOf(session, identity)) {
      // Perhaps it is a neighbour's request, and the viewer has moved.
      if (secret.wasMissed || isOwn(session, identity)) return
      secret.wasMissed = true
      watch?.missed(session)
    } else {
      const { cookie = '' } = identity
      if (!secret.sent.includes(cookie)) secret.sent = [...secret.sent, cookie]
      const client = clientIn(identity.viewer)
      const elsewhere = cookies.sentFrom(cookie, client, now)
      if (address !== identity.address) session.address = identity.address
      if (elsewhere?.isNew) watch?.moved(session, address)
      if (elsewhere?.sharedWith !== undefined)
        watch?.shared(cookies.of(cookie), [elsewhere.sharedWith, client])
    }
  }
}
