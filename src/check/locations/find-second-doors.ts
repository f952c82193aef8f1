import { dirname } from 'node:path'
import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { listensAtHome } from '../nginx-conf/listens-at-home.ts'
import { locate } from '../nginx-conf/locate.ts'
import { follow, type Mapping, trace } from '../nginx-conf/mapping.ts'
import { mediaSamples, shownSample } from '../nginx-conf/media-samples.ts'
import { isOpen } from '../nginx-conf/open.ts'
import { allLocations, type Location, type Server, type SiteMap } from '../nginx-conf/site-map.ts'
import { sourcesOf } from '../nginx-conf/sources.ts'

const { failed } = findingsOf('nginx-locations')

/** A place that serves something: a location, or a server where no location takes the path. */
interface Door {
  readonly server: Server
  readonly location: Location | undefined
  readonly source: Mapping
}

/**
 * Finds open locations, of any server, that serve what a protected one serves: the same folder or one around
 * it, or the same proxied server.
 * @returns one finding for each, by its name and place
 */
export function findSecondDoors(map: SiteMap): ReadonlyMap<string, Finding> {
  const doors = map.servers.flatMap((server) => doorsOf(map, server))
  const findings = new Map<string, Finding>()
  for (const server of map.servers) {
    for (const location of server.protectedLocations) {
      const all = mediaSamples(server, location)
      // A playlist and a segment, where it takes both.
      const samples = [...new Set([...all.slice(0, 1), ...all.slice(-1)])]
      for (const source of sourcesOf(map, server, location)) {
        for (const target of samples.flatMap((path) => follow(source, path) ?? [])) {
          const door = doors.find((one) => isReachedBeside(server, one) && leadsThrough(one, target))
          const { told } = door?.location ?? door?.server ?? {}
          if (door === undefined || told === undefined || findings.has(told)) continue
          findings.set(told, judge(told, location, source, shownSample(trace(door.source, target) ?? '')))
        }
      }
    }
  }
  return findings
}

function judge(told: string, location: Location, { to }: Mapping, path: string): Finding {
  const sentence = `${told} serves openly what ${location.told} protects (${to}): ${path}`
  const remedy = `include location.conf there, too, let it serve another root, alias or upstream, or close it: deny all;`
  return failed(sentence, remedy)
}

function doorsOf(map: SiteMap, server: Server): Door[] {
  // A `return` of the server answers before any location.
  if (lastOf(server.directives, 'return') !== undefined) return []
  const own =
    server.files === undefined || !isOpen(server)
      ? []
      : [{ server, location: undefined, source: server.files }]
  const inner = allLocations(server.locations).flatMap((location) =>
    isOpen(location)
      ? [...sourcesOf(map, server, location), ...besideAlias(location)].map((source) => ({
          server,
          location,
          source,
        }))
      : [],
  )
  return [...own, ...inner]
}

/** `location /img { alias /srv/img/; }` also serves `/img../live/1.ts` from /srv/live/. */
function besideAlias({ files, pattern, modifier }: Location): Mapping[] {
  const isCut = modifier === '' && files?.from === pattern && !pattern.endsWith('/') && files.to.endsWith('/')
  return isCut ? [{ from: `${pattern}../`, to: `${dirname(files.to).replace(/\/$/, '')}/` }] : []
}

/** An origin that only this machine reaches is no door beside a site that all reach. */
function isReachedBeside(site: Server, door: Door): boolean {
  return door.server === site || !listensAtHome(door.server.directives) || listensAtHome(site.directives)
}

function leadsThrough({ server, location, source }: Door, target: string): boolean {
  const path = trace(source, target)
  return path !== undefined && locate(server.locations, path) === location
}
