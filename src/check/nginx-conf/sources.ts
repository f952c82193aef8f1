import { lastOf, named } from './directive.ts'
import { hostOf, targetsOf } from './gate-addresses.ts'
import { follow, type Mapping } from './mapping.ts'
import type { Location, Server, SiteMap } from './site-map.ts'

/** Content that a program makes. It has no place of its own. */
const program = /^(?:fastcgi|uwsgi|scgi|grpc|memcached)_pass$|_by_lua/

/**
 * Where a location takes from what it serves, its named fallback included. Empty when that cannot be told,
 * because it holds a variable, or comes from a program.
 */
export function sourcesOf(map: SiteMap, server: Server, location: Location): Mapping[] {
  const fallback = fallbackOf(server, location)
  const sources = [...ownSources(map, location), ...(fallback === undefined ? [] : ownSources(map, fallback))]
  return sources.flatMap((source) => rewritten(location, source))
}

function fallbackOf({ locations }: Server, { directives }: Location): Location | undefined {
  const name = lastOf(directives, 'try_files')?.args.at(-1) ?? ''
  return name.startsWith('@') ? locations.find(({ pattern }) => pattern === name) : undefined
}

function ownSources(map: SiteMap, { directives, modifier, pattern, files }: Location): Mapping[] {
  const pass = lastOf(directives, 'proxy_pass')?.args[0]
  if (pass === undefined) {
    const isMade = directives.some(({ name }) => program.test(name))
    return files === undefined || isMade ? [] : [files]
  }
  const [, host = '', rest = ''] =
    /^https?:\/\/(unix:[^:]+:|[^/]*)(.*)$/i.exec(pass.replace(/\$uri(?:\$is_args\$args)?$/, '')) ?? []
  if (`${host}${rest}`.includes('$')) return []
  const servers = targetsOf(map, hostOf(`http://${host}`))
    .map(({ address }) =>
      address.kind === 'tcp'
        ? `${address.host}:${address.port}`
        : address.kind === 'unix'
          ? address.path
          : '',
    )
    .sort()
  const to = `//${servers.join(',') || host}`
  return rest === '' || modifier.startsWith('~') || modifier === '@'
    ? [{ from: '/', to: `${to}/` }]
    : [{ from: pattern, to: `${to}${rest}` }]
}

/** Applies the rewrites of a location to its source. Only those of a beginning are understood. */
function rewritten({ directives }: Location, source: Mapping): Mapping[] {
  const rewrites = named(directives, 'rewrite')
  if (rewrites.length === 0) return [source]
  return rewrites.flatMap(({ args: [pattern = '', replacement = '', flag] }) => {
    const from = /^\^(\/[\w/-]*)\(\.[*+]\)\$?$/.exec(pattern)?.[1]
    const inner = /^(\/[\w/-]*)\$1$/.exec(replacement)?.[1]
    if (flag !== 'break' || from === undefined || inner === undefined) return []
    const to = follow(source, inner)
    return to === undefined ? [] : [{ from, to }]
  })
}
