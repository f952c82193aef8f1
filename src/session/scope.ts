import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Identity, PathPatterns, Target } from './identity.ts'
import { createCredentialEnd, createMaskPath } from './mask-path.ts'
import { copyOf } from './session.ts'

/** Entry files of HLS, M3U, DASH, HDS and Smooth Streaming. Only these open more than themselves. */
const playlist = /(?:\.(?:m3u8?|mpd|f4m)|\/manifest)$/i

const nothingButSlashes = /^\/+$/

/** What may follow a number in the names of its files: `5.ts`, `5_1.ts`, `5-1.ts`, `5/1.ts`. */
const behindNumber = /^[._/-]$/
/** A number at the beginning of a file's name. */
const numberInFront = /^\d+(?=[._-]|$)/

/** What a session was opened for, and what it covers. */
export interface Scope extends Target {
  /**
   * It covers this directory and everything below. Without a slash at its end it is a number, such as
   * `/live/user/password/5`, and covers the files of that number. Undefined = only its path, or all of its
   * channel.
   */
  readonly directory: string | undefined
  /** The path for people, without a credential. */
  readonly shownPath: string
  /** The channel or else the path, for people, without a credential. */
  readonly shownChannel: string
}

export function isPlaylist(path: string): boolean {
  return playlist.test(path)
}

/** The part of a scope that decides. */
export type Opened = Omit<Scope, 'shownPath' | 'shownChannel'>

/** Whether a session of this scope covers a request for `asked`. */
export function covers(scope: Opened, asked: Target): boolean {
  if (scope.channel !== undefined || asked.channel !== undefined) return scope.channel === asked.channel
  if (scope.path === asked.path) return true
  const { directory } = scope
  if (directory === undefined || !asked.path.startsWith(directory)) return false
  if (!directory.endsWith('/')) return behindNumber.test(asked.path.charAt(directory.length))
  // A playlist at the root of the site would otherwise open the whole site.
  // With `merge_slashes off` in nginx, `//` is the root as well.
  return !nothingButSlashes.test(directory) || asked.path.lastIndexOf('/') < directory.length
}

/** Whether a request has the same target and canonical query as the one that opened a session. */
export function isOwn(opener: Target & { readonly query: string }, asked: Identity): boolean {
  return opener.query === asked.query && sameTarget(opener, asked)
}

/**
 * Whether two requests are for the same channel with the same path credential or, without a channel, for the
 * same path.
 */
export function sameTarget(a: Target, b: Target): boolean {
  if (a.channel === undefined) return b.channel === undefined && a.path === b.path
  return a.channel === b.channel && a.pathCredential === b.pathCredential
}

/**
 * The riding rule: whether this request may use a session that another request of its viewer opened; `covers`
 * is checked apart. Without a credential it may use any. With a credential it may only if it is for no
 * playlist and the session was opened with the same query and the same path credential.
 */
export function mayRide(asked: Identity, opener: Pick<Identity, 'query' | 'pathCredential'>): boolean {
  if (!asked.credential) return true
  const isSame = asked.query === opener.query && asked.pathCredential === opener.pathCredential
  return isSame && !isPlaylist(asked.path)
}

/** Requests of one viewer with equal keys may ride on the same sessions that playlists opened. */
export function ridingKeyOf(asked: Identity): string {
  const { viewer, channel, path, pathCredential, query, credential } = asked
  const place = channel === undefined ? `path\n${placeOf(path, pathCredential)}` : `channel\n${channel}`
  const secret = credential ? `${query}${pathCredential ?? ''}` : ''
  return hash('sha256', `${viewer}\n${place}\n${secret}`, 'base64url')
}

/** The directory of a path. Behind a path credential: with the number in front of the file's name. */
function placeOf(path: string, pathCredential: string | undefined): string {
  const directory = directoryOf(path)
  if (pathCredential === undefined) return directory
  return directory + (numberInFront.exec(path.slice(directory.length))?.[0] ?? '')
}

/** The path up to its last slash, which is included. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** Bounds of the scope cache: entries, and bytes of their paths. */
const MAX_SCOPES = 10_000
const MAX_BYTES = 4 * 1_048_576

/** Builds the reader of scopes. Sessions of the same path share one object. */
export function createScopeOf(patterns: PathPatterns): (target: Target) => Scope {
  const { channelPattern, credentialPattern } = patterns
  const scopes = new LRUCache<string, Scope>({
    max: MAX_SCOPES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ pathCredential = '' }, path) => 3 * (path.length + pathCredential.length) + 1,
  })
  const mask = createMaskPath(patterns)
  const credentialEnd = createCredentialEnd(credentialPattern)
  const beginning = channelPattern === undefined ? undefined : literalBeginning(channelPattern)

  const directoryOpenedBy = ({ channel, path, pathCredential }: Target): string | undefined => {
    if (channel !== undefined || !isPlaylist(path)) return undefined
    const directory = directoryOf(path)
    if (beginning !== undefined && liesAround(directory, beginning)) return undefined
    return pathCredential === undefined ? directory : openedBehind(credentialEnd(path) ?? path.length, path)
  }

  return (target) => {
    const known = scopes.get(target.path)
    if (known !== undefined) return known
    const path = copyOf(target.path)
    const channel = target.channel === undefined ? undefined : copyOf(target.channel)
    const pathCredential = target.pathCredential === undefined ? undefined : copyOf(target.pathCredential)
    const scope = {
      channel,
      path,
      pathCredential,
      directory: directoryOpenedBy({ channel, path, pathCredential }),
      shownPath: pathCredential === undefined ? path : mask.path(path),
      shownChannel: pathCredential === undefined ? (channel ?? path) : mask.channel(path),
    }
    scopes.set(path, scope)
    return scope
  }
}

/**
 * What a playlist behind a path credential opens. There the streams of all channels may lie side by side
 * (`/live/user/password/5.ts`), and one that is refused must not ride on the playlist of another. So a number
 * opens the files of that number. Any other playlist opens its directory, if that is not the one directly
 * behind the credential.
 */
function openedBehind(credentialEnd: number, path: string): string | undefined {
  const directory = directoryOf(path)
  const number = numberInFront.exec(path.slice(directory.length))?.[0]
  if (number !== undefined) return directory + number
  const behind = path.indexOf('/', credentialEnd)
  return behind !== -1 && behind < directory.length - 1 ? directory : undefined
}

/**
 * Whether a directory equals, contains or lies below the text that CHANNEL_PATTERN begins with. A client may
 * invent a playlist there that matches no channel. A backend that checks only the beginning of the path would
 * allow it, so such a playlist must not open the directory.
 */
function liesAround(directory: string, beginning: string): boolean {
  // With `merge_slashes off` in nginx, `//live/` is another name of `/live/`.
  const plain = directory.replaceAll(/\/{2,}/g, '/')
  return plain.startsWith(beginning) || beginning.startsWith(plain)
}

/**
 * A pattern of whole path segments, each a word, one of several, anything, or the channel: `^/live/([^/]+)/`.
 */
const wholeSteps =
  /^\^(?:\\\/(?:[A-Za-z0-9_-]+|\(\?:[A-Za-z0-9_|-]+\)|\[\^\\?\/\]\+|\(\[\^\\?\/\]\+\)))+\\\/$/

/** A pattern whose channel is the first path segment: nearly every path has one. */
const firstStep = /^\^\\\/\(\[\^[^\]]+\]\+\)(?:\\\/)?$/

/** One literal character of a pattern, with its quantifier if it has one. */
const literal = /(?:\\([^A-Za-z0-9])|([^\\^$.*+?()[\]{}|]))([*?{+]?)/y

/**
 * Whether a pattern finds the same groups in all files of a directory, whatever their names. True only for
 * patterns that consist of whole path segments from the root; for any other pattern it is not known.
 */
export function tellsOnlyDirectoriesApart(pattern: RegExp): boolean {
  return pattern.flags === '' && wholeSteps.test(pattern.source)
}

/**
 * The text that every path with a channel begins with: `/live/` of `^/live/([^/]+)/`. Undefined where the
 * pattern has no `^`, has flags, has alternatives at its top level, or begins with nothing but slashes.
 */
export function literalBeginning({ source, flags }: RegExp): string | undefined {
  if (flags !== '' || !source.startsWith('^') || hasAlternatives(source)) return undefined
  let text = ''
  literal.lastIndex = 1
  for (let found = literal.exec(source); found !== null; found = literal.exec(source)) {
    const [, escaped, plain, repeated = ''] = found
    // With `*`, `?` or `{` the character may be missing.
    if (repeated !== '' && repeated !== '+') break
    text += escaped ?? plain ?? ''
    if (repeated === '+') break
  }
  return /[^/]/.test(text) ? text : undefined
}

/**
 * Whether a playlist that matches no channel may open the directory that the channels lie in, because
 * `literalBeginning` does not find that directory.
 */
export function leavesChannelsOpen(pattern: RegExp): boolean {
  return literalBeginning(pattern) === undefined && !firstStep.test(pattern.source)
}

/** Whether a `|` stands outside of all groups and character classes. */
function hasAlternatives(source: string): boolean {
  let depth = 0
  let isInClass = false
  for (let at = 0; at < source.length; at++) {
    const sign = source[at]
    if (sign === '\\') at++
    else if (isInClass) isInClass = sign !== ']'
    else if (sign === '[') isInClass = true
    else if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (sign === '|' && depth === 0) return true
  }
  return false
}
