import type { Identity, PathPatterns, Target } from './identity.ts'
import { isPlaylist, type Opened, tellsOnlyDirectoriesApart } from './scope.ts'

/**
 * Which verdicts nginx's cache may repeat. The cache (nginx/alta-auth/cache-http.conf) keys a playlist by its
 * path and any other file by its directory, so a verdict for such a file must be right for the whole
 * directory.
 */
export interface Cacheable {
  /** Whether the cache may repeat the allow of `asked`, which a session of this scope gave. */
  allow(asked: Target, scope: Opened): boolean
  /** Whether the cache may repeat the deny of `asked`. */
  deny(asked: Identity): boolean
}

/** @param patterns those that identities were read with */
export function createCacheable({ channelPattern, credentialPattern }: PathPatterns): Cacheable {
  const directoriesAreAlike = [channelPattern, credentialPattern].every(
    (pattern) => pattern === undefined || tellsOnlyDirectoriesApart(pattern),
  )
  return {
    allow(asked, scope) {
      if (isPlaylist(asked.path)) return true
      return directoriesAreAlike && (asked.channel !== undefined || scope.directory?.endsWith('/') === true)
    },
    // Any other request could ride on a session that opens a moment later, so its deny must not be repeated.
    deny: (asked) => asked.credential && isPlaylist(asked.path),
  }
}
