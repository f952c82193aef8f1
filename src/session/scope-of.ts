import { LRUCache } from 'lru-cache'
import { literalBeginning } from './channel-pattern.ts'
import { copyOf } from './copy-of.ts'
import type { Target } from './identity.ts'
import { directoryOf, isPlaylist, type Scope } from './scope.ts'

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
