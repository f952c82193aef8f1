import { type Finding, findingsOf } from '../finding.ts'
import { locate } from '../nginx-conf/locate.ts'
import { follow } from '../nginx-conf/mapping.ts'
import { mediaSamples, playlistNames, segmentNames, shownSample } from '../nginx-conf/media-samples.ts'
import { isOpen } from '../nginx-conf/open.ts'
import type { Location, Server, SiteMap } from '../nginx-conf/site-map.ts'
import { sourcesOf } from '../nginx-conf/sources.ts'

const { failed } = findingsOf('nginx-locations')

/** Finds playlists that are protected while all their segments, from the same source, are open. */
export function findBareSegments(map: SiteMap, server: Server): Finding[] {
  return server.protectedLocations.flatMap((location) => {
    // What takes segments from a prefix is found by another rule.
    if (location.modifier !== '=' && !location.modifier.startsWith('~')) return []
    const samples = mediaSamples(server, location, playlistNames)
    const bare = samples.map((playlist) => bareBeside(map, server, location, playlist)).find(Boolean)
    return bare === undefined ? [] : [bare]
  })
}

function bareBeside(map: SiteMap, server: Server, location: Location, playlist: string): Finding | undefined {
  const folder = playlist.slice(0, playlist.lastIndexOf('/') + 1)
  const found = segmentNames.map((name) => ({
    path: folder + name,
    taker: locate(server.locations, folder + name),
  }))
  if (!found.every(({ taker }) => isOpen(taker ?? server))) return undefined
  const from = sourcesOf(map, server, location).map((source) => follow(source, folder))
  const door = found.find(({ taker }) => {
    const sources =
      taker === undefined ? [server.files].flatMap((one) => one ?? []) : sourcesOf(map, server, taker)
    return sources.some((source) => from.includes(follow(source, folder) ?? ''))
  })
  if (door === undefined) return undefined
  const sentence = `${location.told} protects playlists, but ${(door.taker ?? server).told} serves their segments openly: ${shownSample(door.path)}`
  const remedy =
    'protect the whole directory with a location for it (location ^~ /live/), or name ts, m4s and mp4 in the pattern, too'
  return failed(sentence, remedy)
}
