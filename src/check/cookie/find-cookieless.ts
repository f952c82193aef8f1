import { type Finding, findingsOf } from '../finding.ts'
import { locate } from '../nginx-conf/locate.ts'
import { mediaSamples, playlistNames } from '../nginx-conf/media-samples.ts'
import { AUTH, type Location, type Server } from '../nginx-conf/site-map.ts'
import { hasCookie } from './add-headers.ts'

const { warning } = findingsOf('nginx-cookie')
/** Only what is sure to be a part of a stream: an mp4 may be a film, which has no cookie. */
const parts = ['1.ts', '1.m4s'] as const
const REMEDY = 'include cookie.conf in it, too, behind location.conf'

/**
 * Finds locations that ask the gate without the cookie, inside a location that has it, or beside one that
 * takes the other files of the same folder. location.conf begins anew in each.
 */
export function findCookieless(server: Server): Finding[] {
  const findings = new Map<string, Finding>()
  for (const [inner, outer] of nestedWithout(server.locations, undefined)) {
    const sentence = `${inner.told} lies in ${outer.told}, but does not include cookie.conf: the cookie is not known there`
    findings.set(inner.told, warning(sentence, REMEDY))
  }
  for (const [without, beside] of besideOthers(server)) {
    if (findings.has(without.told)) continue
    const sentence = `${without.told} does not include cookie.conf, but ${beside.told} does: one of them takes the playlists of a folder and the other its segments, and the cookie is known in one alone`
    findings.set(without.told, warning(sentence, REMEDY))
  }
  return [...findings.values()]
}

function asksByItself({ asks, asksItself, pattern }: Location): boolean {
  return asks === AUTH && asksItself && pattern !== AUTH
}

/** @param around the innermost location around these that has a cookie */
function nestedWithout(
  locations: readonly Location[],
  around: Location | undefined,
): (readonly [inner: Location, outer: Location])[] {
  return locations.flatMap((location) => {
    const has = hasCookie(location.directives)
    const lacks = around !== undefined && !has && asksByItself(location)
    const own = lacks ? [[location, around] as const] : []
    return [...own, ...nestedWithout(location.children, has ? location : around)]
  })
}

function besideOthers(server: Server): (readonly [without: Location, beside: Location])[] {
  return server.protectedLocations.filter(asksByItself).flatMap((one) => {
    const playlists = mediaSamples(server, one, playlistNames)
    const folders = new Set(playlists.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
    const takers = [...folders].flatMap((folder) =>
      parts.flatMap((part) => locate(server.locations, folder + part) ?? []),
    )
    const other = takers.find(
      (taker) => asksByItself(taker) && hasCookie(taker.directives) !== hasCookie(one.directives),
    )
    if (other === undefined) return []
    return [hasCookie(one.directives) ? ([other, one] as const) : ([one, other] as const)]
  })
}
