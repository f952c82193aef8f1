import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Identity, Target } from './identity.ts'
import { copyOf } from './session.ts'

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

/** Scopes that are remembered so that sessions share them, and bytes of their paths. */
const MAX_SCOPES = 10_000
const MAX_BYTES = 4 * 1_048_576

/** Builds the reader of scopes. Sessions of one path share one of it. */
export function createScopeOf(channelPattern: RegExp | undefined): (target: Target) => Scope {
  const scopes = new LRUCache<string, Scope>({
    max: MAX_SCOPES,
    maxSize: MAX_BYTES,
    sizeCalculation: (_scope, path) => 3 * path.length + 1,
  })
  const beginning = channelPattern === undefined ? undefined : literalBeginning(channelPattern)

  const directoryOpenedBy = ({ channel, path }: Target): string | undefined => {
    if (channel !== undefined || !isPlaylist(path)) return undefined
    const directory = directoryOf(path)
    return beginning !== undefined && liesAround(directory, beginning) ? undefined : directory
  }

  return (target) => {
    const known = scopes.get(target.path)
    if (known !== undefined) return known
    const path = copyOf(target.path)
    const channel = target.channel === undefined ? undefined : copyOf(target.channel)
    const scope = { channel, path, directory: directoryOpenedBy({ channel, path }) }
    scopes.set(path, scope)
    return scope
  }
}

/**
 * Whether a directory equals, contains or lies below the place where a CHANNEL_PATTERN begins. A playlist there that is of no channel may
 * be invented by a client; whoever judges by the beginning of the path takes it for one of a channel's.
 */
function liesAround(directory: string, beginning: string): boolean {
  // With `merge_slashes off` in nginx, `//live/` is a name of `/live/`.
  const plain = directory.replaceAll(/\/{2,}/g, '/')
  return plain.startsWith(beginning) || beginning.startsWith(plain)
}

/** Whole steps of a path, each a word, anything, or the channel: `^/live/([^/]+)/`. */
const wholeSteps = /^\^(?:\\\/(?:[A-Za-z0-9_-]+|\[\^\\?\/\]\+|\(\[\^\\?\/\]\+\)))+\\\/$/

/** The channel is the first step: nearly every path has one. */
const firstStep = /^\^\\\/\(\[\^[^\]]+\]\+\)(?:\\\/)?$/

/** One character that stands for itself, and what says that it may be missing or come several times. */
const literal = /(?:\\([^A-Za-z0-9])|([^\\^$.*+?()[\]{}|]))([*?{+]?)/y

/**
 * Whether a CHANNEL_PATTERN finds the same channel in all files of a directory, whatever their names. True only for patterns that
 * are plainly made of whole steps from the root; of any other it is not known.
 */
export function tellsOnlyDirectoriesApart(pattern: RegExp): boolean {
  return pattern.flags === '' && wholeSteps.test(pattern.source)
}

/**
 * The text that every path with a channel begins with: `/live/` of `^/live/([^/]+)/`. Undefined where the pattern tells nothing but a
 * slash: without a `^`, with alternatives, with flags.
 */
export function literalBeginning({ source, flags }: RegExp): string | undefined {
  if (flags !== '' || !source.startsWith('^') || hasAlternatives(source)) return undefined
  let text = ''
  literal.lastIndex = 1
  for (let found = literal.exec(source); found !== null; found = literal.exec(source)) {
    const [, escaped, plain, repeated = ''] = found
    // Counted or optional: it may be missing.
    if (repeated !== '' && repeated !== '+') break
    text += escaped ?? plain ?? ''
    if (repeated === '+') break
  }
  return /[^/]/.test(text) ? text : undefined
}

/** Whether a playlist that is of no channel may open the directory of channels: `literalBeginning` does not tell where they lie. */
export function leavesChannelsOpen(pattern: RegExp): boolean {
  return literalBeginning(pattern) === undefined && !firstStep.test(pattern.source)
}

/** Whether a `|` stands outside of all groups and classes. */
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

/**
 * Which verdicts nginx may repeat by itself. Its cache (nginx/alta-auth/cache-http.conf) knows a playlist by its path, and any other
 * file by its directory: such a verdict must count for all of them.
 */
export interface Cacheable {
  /** `asked` was let in by a session of this scope. */
  allow(asked: Target, scope: Scope): boolean
  deny(asked: Identity): boolean
}

export function createCacheable(channelPattern: RegExp | undefined): Cacheable {
  const directoriesAreAlike = channelPattern === undefined || tellsOnlyDirectoriesApart(channelPattern)
  return {
    allow(asked, scope) {
      if (isPlaylist(asked.path)) return true
      return directoriesAreAlike && (asked.channel !== undefined || scope.directory !== undefined)
    },
    // Any other request may ride on a session that is opened a moment later.
    deny: (asked) => asked.credential && isPlaylist(asked.path),
  }
}
