import { hash } from 'node:crypto'
import type { Identity, Target } from './identity.ts'

/** HLS, M3U, DASH, HDS and Smooth Streaming entry files; everything else opens only itself. */
const playlist = /(?:\.(?:m3u8?|mpd|f4m)|\/manifest)$/i

const nothingButSlashes = /^\/+$/

/** What a session is about, and what it opens. */
export interface Scope extends Target {
  /** This directory and everything below it; undefined = only itself, or all of its channel. */
  readonly directory: string | undefined
}

export function isPlaylist(path: string): boolean {
  return playlist.test(path)
}

/** Whether an allowed session of this scope extends to a request for `asked`. */
export function covers(scope: Scope, asked: Target): boolean {
  if (scope.channel !== undefined || asked.channel !== undefined) return scope.channel === asked.channel
  if (scope.path === asked.path) return true
  const { directory } = scope
  if (directory === undefined || !asked.path.startsWith(directory)) return false
  // A playlist at the root of the site would otherwise open the whole site. With `merge_slashes off`, `//` is the root as well.
  return !nothingButSlashes.test(directory) || asked.path.lastIndexOf('/') < directory.length
}

/** Whether a request is the very one that opened a session, as far as verdicts go. */
export function isOwn(opener: Target & { readonly query: string }, asked: Identity): boolean {
  return opener.query === asked.query && sameTarget(opener, asked)
}

/** Whether two requests are about the very same path or channel. */
export function sameTarget(a: Target, b: Target): boolean {
  return a.channel === b.channel && (a.channel !== undefined || a.path === b.path)
}

/**
 * Whether the rules of riding let this request use a session that another request opened, scope aside: without a credential on any
 * of the viewer's sessions; with one only for what is not a playlist, and only on a session opened with the very same query.
 */
export function mayRide(asked: Identity, openerQuery: string): boolean {
  if (!asked.credential) return true
  return !isPlaylist(asked.path) && asked.query === openerQuery
}

/** Two requests of one viewer with equal keys may ride on the same sessions that a playlist opened. */
export function ridingKeyOf(asked: Identity): string {
  const { viewer, channel, path, query, credential } = asked
  const place = channel === undefined ? `path\n${directoryOf(path)}` : `channel\n${channel}`
  return hash('sha256', `${viewer}\n${place}\n${credential ? query : ''}`, 'base64url')
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
