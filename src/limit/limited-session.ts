import { hash } from 'node:crypto'
import { type Identity, siteOf } from '../session/identity.ts'
import { isPlaylist } from '../session/scope.ts'
import { copyOf, type Session } from '../session/session.ts'
import { placeOf } from './place.ts'
import type { LimitedSession } from './user.ts'

/**
 * What the rules know of a session. It stays in memory for longer than the session, and a client chooses how
 * long a User-Agent, a query and a path are: so they are hashed, or copied in a short form.
 * @param opener the identity of the request that opened it
 */
export function limitedSessionOf(session: Session, opener: Identity): LimitedSession {
  const { id, viewer, profile, scope, path } = session
  const { userAgent, playbackId } = profile
  return {
    id,
    viewer,
    address: session.client,
    player: digest(`${siteOf(profile)}\n${userAgent}`),
    playback: playbackId === '' ? '' : digest(playbackId),
    cookie: cookieOf(session),
    credential: opener.credential ? digest(`${opener.query}${opener.pathCredential ?? ''}`) : '',
    place: copyOf(placeOf(scope)),
    once: !isPlaylist(path),
  }
}

/** A session cookie says nothing of its viewer before a request has brought it back; then it is empty. */
export function cookieOf({ secret }: Pick<Session, 'secret'>): string {
  // A second place of a cookie plays for itself.
  if (secret === undefined || secret.onlyFrom !== '') return ''
  return secret.carried || (secret.sent.at(-1) ?? '')
}

/** The first 96 bits of SHA-256. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 16)
}
