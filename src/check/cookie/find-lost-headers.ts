import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import type { Server } from '../nginx-conf/site-map.ts'
import { givesCookie, headersIn, isShippedHeader, type Level, type Place, placesIn } from './add-headers.ts'

const { warning } = findingsOf('nginx-cookie')
const REMEDY =
  'repeat them beside the include of cookie.conf, or write add_header_inherit merge; there (nginx 1.29.3)'

/**
 * Finds headers of the operator that locations inherited until cookie.conf came. Where another add_header of
 * theirs stands in the location they were lost before.
 */
export function findLostHeaders(http: Level, server: Server): Finding[] {
  const placesOf = new Map<string, string[]>()
  for (const place of placesIn(http, server)) {
    const lost = lostIn(place)
    if (lost.length === 0) continue
    const told = lost.map((line) => `${line.args[0]} (${placeOf(line)})`).join(', ')
    placesOf.set(told, [...(placesOf.get(told) ?? []), place.location.told])
  }
  return [...placesOf].map(([lost, places]) => {
    const sentence = `${places.join(', ')}: answers lose ${lost}, because cookie.conf has add_header lines, and nginx inherits none into such a place`
    return warning(sentence, REMEDY)
  })
}

function lostIn({ location, levels }: Place): Directive[] {
  const { directives } = location
  if (!givesCookie(location) || !named(directives, 'add_header').every(isShippedHeader)) return []
  const kept = new Set(headersIn(levels).map(nameOf))
  const before = new Map(headersIn(levels.slice(1)).map((line) => [nameOf(line), line]))
  return [...before].flatMap(([name, line]) =>
    name === '' || kept.has(name) || isShippedHeader(line) ? [] : [line],
  )
}

function nameOf({ args }: Directive): string {
  return (args[0] ?? '').toLowerCase()
}
