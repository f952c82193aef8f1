import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf, named, placeOf } from '../nginx-conf/directive.ts'
import { testPattern } from '../nginx-conf/locate.ts'
import { mediaSamples, playlistNames, segmentNames } from '../nginx-conf/media-samples.ts'
import { type Location, ON_FAILURE, type Server } from '../nginx-conf/site-map.ts'
import { givesCookie, type Level, type Place, placesIn, sendsCookie } from './add-headers.ts'

const { warning } = findingsOf('nginx-cookie')

/** Finds places of a server where an answer to a playlist loses the headers of cookie.conf. */
export function findLostCookies(http: Level, server: Server): Finding[] {
  const places = placesIn(http, server).filter(
    ({ location }) => givesCookie(location) && takesPlaylists(server, location),
  )
  const fallbacks = new Map(places.flatMap((place) => losingFallbacks(http, server, place)))
  return [...places.flatMap((place) => losingConditions(server, place)), ...fallbacks.values()]
}

/** Only the answer to a playlist has a cookie. A pattern that says nothing to us may be one of playlists. */
function takesPlaylists(server: Server, location: Location): boolean {
  return (
    mediaSamples(server, location, playlistNames).length > 0 ||
    mediaSamples(server, location, segmentNames).length === 0
  )
}

function losingConditions(server: Server, { location, levels }: Place): Finding[] {
  return named(location.directives, 'if')
    .filter(({ block = [] }) => !block.some(leaves) && !sendsCookie([block, ...levels]))
    .filter(({ args }) => mayBeTrue(args, mediaSamples(server, location, playlistNames)))
    .map((condition) => {
      const sentence = `${location.told}: the if of ${placeOf(condition)} has add_header lines of its own, so a playlist that it is true for sets no cookie`
      const remedy =
        'take its add_header out of the if (a map gives it a value, and nginx sends no empty header), or repeat the two add_header lines of cookie.conf in it'
      return warning(sentence, remedy)
    })
}

/** After these lines something else answers. */
function leaves({ name, args }: Directive): boolean {
  return name === 'return' || (name === 'rewrite' && args[2] !== 'break')
}

/** Whether a condition can be true for a GET of one of these playlists. */
function mayBeTrue(args: readonly string[], playlists: readonly string[]): boolean {
  const [, variable = '', operator = '', value = ''] =
    /^\(\s*(\S+)\s+(!?~\*?|!?=)\s+(.*?)\s*\)$/.exec(args.join(' ')) ?? []
  const seen = /^\$(?:document_uri|uri|request_uri|request_filename)$/.test(variable)
    ? playlists
    : variable === '$request_method'
      ? ['GET']
      : []
  if (seen.length === 0) return true
  return seen.some((text) => {
    const isEqual = operator.includes('~') ? testPattern(value, text, operator.endsWith('*')) : value === text
    return operator.startsWith('!') ? !isEqual : isEqual
  })
}

/** Named locations that answer in the place of one with a cookie. nginx then uses their lines alone. */
function losingFallbacks(http: Level, server: Server, { location, levels }: Place): [string, Finding][] {
  return fallbacksOf(levels).flatMap((name): [string, Finding][] => {
    const target = server.locations.find(({ modifier, pattern }) => modifier === '@' && pattern === name)
    if (target === undefined || lastOf(target.directives, 'return') !== undefined) return []
    if (sendsCookie([target.directives, server.directives, http])) return []
    const sentence = `${target.told} answers in the place of ${location.told}, but does not include cookie.conf: its answers set no cookie`
    return [[target.told, warning(sentence, 'include cookie.conf in it, too')]]
  })
}

/** Where try_files, and an error_page that gives the answer of another place, lead. */
function fallbacksOf([own = [], ...around]: readonly Level[]): string[] {
  const pages = [own, ...around]
    .map((level) => named(level, 'error_page'))
    .find((found) => found.length > 0)
    ?.filter(
      ({ args }) =>
        args.some((arg) => /^=2?/.test(arg)) &&
        args.some((arg) => /^\d+$/.test(arg) && !/^40[13]$/.test(arg)),
    )
  return [lastOf(own, 'try_files'), ...(pages ?? [])]
    .map((line) => line?.args.at(-1) ?? '')
    .filter((name) => name.startsWith('@') && name !== ON_FAILURE)
}
