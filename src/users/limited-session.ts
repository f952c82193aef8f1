import { hash } from 'node:crypto'
import { placeOf } from '../limit/place.ts'
import type { LimitedSession } from '../limit/user.ts'
import { type Identity, siteOf } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import { copyOf, type Session } from '../session/session.ts'

/**
 * What the rules know of a session. It stays in memory for longer than the session, and a client chooses how
 * long a User-Agent, a query and a path are: so they are hashed, or copied in a short form.
 * @param opener the identity of the request that opened it
 */
export function limitedSessionOf(session: Session, opener: Identity): LimitedSession {
  const { id, profile, scope, path, secret } = session
  // Who has a cookie is known by it, wherever they are; but its second place is another person's.
  const [cookie] = secret?.cookies ?? []
  const viewer = cookie === undefined ? session.viewer : `cookie ${cookie} ${secret?.onlyFrom}`
  const { userAgent, playbackId } = profile
  return {
    id,
    viewer,
    address: session.client,
    player: digest(`${siteOf(profile)}\n${userAgent}`),
    playback: playbackId === '' ? '' : digest(playbackId),
    credential: opener.credential ? digest(`${opener.query}${opener.pathCredential ?? ''}`) : '',
    place: copyOf(placeOf(scope)),
    once: !isPlaylist(path),
  }
}

/** The first 132 bits of SHA-256. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
