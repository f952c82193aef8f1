import { posix } from 'node:path'
import { follow } from '../nginx-conf/mapping.ts'
import type { Location, Server, SiteMap } from '../nginx-conf/site-map.ts'

/** A folder whose files nginx serves to allowed viewers. */
interface DocumentRoot {
  readonly folder: string
  /** The path of the folder on the site. It ends in a slash. */
  readonly prefix: string
  readonly server: Server
  readonly location: Location
}

/**
 * The folders of all protected locations, each once. A location whose path holds a variable, or whose media
 * comes from elsewhere, has none.
 */
export function documentRoots({ asking }: SiteMap): DocumentRoot[] {
  const found = new Map<string, DocumentRoot>()
  for (const server of asking) {
    for (const location of server.protectedLocations) {
      const { modifier, pattern, files } = location
      if (modifier === '=' || modifier === '@' || files === undefined) continue
      const prefix = modifier.startsWith('~') ? '/' : pattern.endsWith('/') ? pattern : `${pattern}/`
      const target = /^\/(?:[\w-]+\/)*$/.test(prefix) ? follow(files, prefix) : undefined
      if (target === undefined) continue
      const folder = posix.normalize(target)
      found.set(`${folder} ${prefix}`, { folder, prefix, server, location })
    }
  }
  return [...found.values()]
}
