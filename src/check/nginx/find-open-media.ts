import { type Finding, failed, warning } from '../finding.ts'
import { type Directive, isReturn, lastOf, named } from './directive.ts'
import { locate } from './locate.ts'
import { AUTH, allLocations, type Location, type Server } from './site-map.ts'

const NAME = 'nginx-locations'
const INCLUDE = 'include location.conf in it'
/** Words that name media in the paths of many sites. */
const mediaName =
  /(?:^|[/(|])(?:live|vod|hls|dash|streams?|channels?|iptv|catchup|archive|timeshift|dvr|movies?|films?)(?:[/)|]|$)/i
/** No root at all. */
const NOWHERE = ''
const mediaFiles = ['index.m3u8', '1.ts', 'manifest.mpd', '1.m4s', 'film.mp4']

/** Media that can be had without anybody being asked, beside what is protected. */
export function findOpenMedia(servers: readonly Server[], http: readonly Directive[]): Finding[] {
  const asking = servers.filter(({ protectedLocations }) => protectedLocations.length > 0)
  return [
    ...asking.flatMap((server) => [...checkTaken(server), ...checkNeighbours(server)]),
    ...checkTwins(servers, asking, http),
  ]
}

/** A regular expression takes media away from a protected prefix: it counts more. */
function checkTaken(server: Server): Finding[] {
  const findings = new Map<string, Finding>()
  for (const { modifier, pattern } of server.protectedLocations) {
    if (modifier === '=' || modifier.startsWith('~')) continue
    for (const file of mediaFiles) {
      const path = `${pattern.replace(/\/$/, '')}/alta-auth-check/${file}`
      const taker = locate(server.locations, path)
      if (taker === undefined || taker.asks === AUTH || isClosed(taker) || taker.pattern.length === 0)
        continue
      // A longer prefix is a decision of the operator; the next check looks at its name.
      if (!taker.modifier.startsWith('~') || findings.has(taker.told)) continue
      findings.set(
        taker.told,
        failed(
          NAME,
          `${taker.told} serves ${pattern}…/${file} without asking: it counts more than the prefix`,
          `${INCLUDE}, or write location ^~ ${pattern}`,
        ),
      )
    }
  }
  return [...findings.values()]
}

function checkNeighbours(server: Server): Finding[] {
  return allLocations(server.locations)
    .filter(
      ({ asks, modifier, pattern }) => asks === undefined && modifier !== '@' && mediaName.test(pattern),
    )
    .filter((one) => !isClosed(one) && !isOpenOnPurpose(one))
    .map((one) =>
      warning(
        NAME,
        `${one.told} sounds like media, but is open`,
        `${INCLUDE} if viewers must be allowed there`,
      ),
    )
}

/** The same files from another server that asks nobody. */
function checkTwins(
  servers: readonly Server[],
  asking: readonly Server[],
  http: readonly Directive[],
): Finding[] {
  const rootOf = (...levels: (readonly Directive[])[]): string | undefined =>
    levels.flatMap((level) => named(level, 'root').map(({ args }) => args[0]))[0]
  const roots = new Set(
    asking.flatMap((server) =>
      server.protectedLocations.map(({ directives }) => rootOf(directives, server.directives, http)),
    ),
  )
  return servers
    .filter((server) => !asking.includes(server) && !server.directives.some(isReturn) && !isLocalOnly(server))
    .filter(({ locations, directives }) => {
      const own = locations.filter(({ modifier }) => modifier !== '@')
      const levels = own.filter((one) => !isClosed(one) && !hasHandler(one)).map((one) => one.directives)
      // Without a location for everything, the server itself serves the rest.
      if (!own.some(({ pattern }) => pattern === '/')) levels.push([])
      return levels.some((level) => roots.has(rootOf(level, directives, http) ?? NOWHERE))
    })
    .map((server) =>
      warning(
        NAME,
        `${server.told} serves the same files, and asks nobody`,
        'protect it likewise, or redirect it: return 301 https://$host$request_uri;',
      ),
    )
}

/** An origin for this machine alone. */
function isLocalOnly({ directives }: Server): boolean {
  const listens = named(directives, 'listen').map(({ args }) => args[0] ?? '')
  return listens.length > 0 && listens.every((one) => /^(?:127\.|\[::1\]|localhost|unix:)/.test(one))
}

/** Serves something else than the files of its root. */
function hasHandler({ directives }: Location): boolean {
  return directives.some(({ name }) => name === 'alias' || name.endsWith('_pass'))
}

function isOpenOnPurpose({ directives }: Location): boolean {
  return lastOf(directives, 'auth_request')?.args[0] === 'off'
}

/** Serves no file by itself. */
function isClosed({ directives }: Location): boolean {
  return directives.some(
    ({ name, args }) =>
      name === 'internal' ||
      name === 'return' ||
      name === 'rewrite' ||
      (name === 'deny' && args[0] === 'all'),
  )
}
