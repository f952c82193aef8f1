import { hash } from 'node:crypto'
import { type Identity, siteOf } from '../session/identity.ts'
import { isPlaylist, type Scope } from '../session/scope.ts'
import { copyOf, type Session } from '../session/session.ts'
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

/** Longest place in bytes, which are characters: paths are ASCII. A longer one ends with a hash. */
const LONGEST = 100
const HASH = 16

/**
 * Where a session plays: its channel in angle brackets, else the directory that its playlist opens, else its
 * path. It holds no path credential, so a new one in the URL is no new place. At most 100 bytes.
 */
export function placeOf({ channel, path, directory, shownPath, shownChannel }: Scope): string {
  if (channel !== undefined)
    return shownChannel.length <= LONGEST - 2 ? `<${shownChannel}>` : `<${digest(shownChannel)}>`
  if (directory === undefined) return shortened(shownPath)
  // A playlist at the root opens only files there. No path ends like this, and it contains no other.
  if (/^\/+$/.test(directory)) return '/.'
  return shortened(shownPath.slice(0, shownPath.length - (path.length - directory.length)))
}

/** The beginning stays, in whole steps: a directory there contains the shortened place, too. */
function shortened(place: string): string {
  if (place.length <= LONGEST) return place
  const kept = place.slice(0, place.lastIndexOf('/', LONGEST - HASH - 2) + 1)
  return `${kept}${digest(place)}${place.endsWith('/') ? '/' : ''}`
}

/** The first 96 bits of SHA-256. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, HASH)
}

/** Whether one of two places contains the other, or they are equal. Only a directory contains others. */
export function overlap(a: string, b: string): boolean {
  return contains(a, b) || contains(b, a)
}

export function contains(outer: string, inner: string): boolean {
  return outer === inner || (outer.endsWith('/') && inner.startsWith(outer))
}
