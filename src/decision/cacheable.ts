import { tellsOnlyDirectoriesApart } from '../session/channel-pattern.ts'
import type { Identity, Target } from '../session/identity.ts'
import { isPlaylist, type Scope } from '../session/scope.ts'

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
