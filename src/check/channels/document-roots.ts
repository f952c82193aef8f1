import { join } from 'node:path'
import { type Directive, lastOf } from '../nginx-conf/directive.ts'
import { AUTH, type Location, type SiteMap } from '../nginx-conf/site-map.ts'

/** A folder whose files nginx serves to allowed viewers. */
export interface DocumentRoot {
  readonly folder: string
  /** The path of the folder on the site. It ends in a slash. */
  readonly prefix: string
}

/**
 * The folders of all protected locations, each once. A location whose path holds a variable, or whose media
 * comes from elsewhere, has none.
 */
export function documentRoots({ http, asking }: SiteMap): DocumentRoot[] {
  const found = new Map<string, DocumentRoot>()
  const look = (locations: readonly Location[], inherited: string | undefined): void => {
    for (const location of locations) {
      const root = rootOf(location.directives) ?? inherited
      const served =
        location.asks === AUTH && location.pattern !== AUTH ? servedBy(location, root) : undefined
      if (served !== undefined) found.set(`${served.folder} ${served.prefix}`, served)
      look(location.children, root)
    }
  }
  for (const server of asking) look(server.locations, rootOf(server.directives) ?? rootOf(http))
  return [...found.values()]
}

function servedBy(
  { modifier, pattern, directives }: Location,
  root: string | undefined,
): DocumentRoot | undefined {
  if (modifier === '=' || modifier === '@') return undefined
  const alias = lastOf(directives, 'alias')?.args[0]
  const prefix = modifier.startsWith('~') ? '/' : pattern.endsWith('/') ? pattern : `${pattern}/`
  const folder = alias ?? (root === undefined ? undefined : join(root, prefix))
  if (folder === undefined || folder.includes('$') || !/^\/(?:[\w-]+\/)*$/.test(prefix)) return undefined
  return alias !== undefined && modifier.startsWith('~') ? undefined : { folder, prefix }
}

function rootOf(directives: readonly Directive[]): string | undefined {
  return lastOf(directives, 'root')?.args[0]
}
