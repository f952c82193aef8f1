import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, placeOf } from '../nginx-conf/directive.ts'
import { locate } from '../nginx-conf/locate.ts'
import { INVENTED } from '../nginx-conf/media-samples.ts'
import { isOpen } from '../nginx-conf/open.ts'
import { AUTH, type Location, type Server } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-rewrites')
/** A page may sit in a protected location, and take parameters. */
const page = /\.(?:html?|js|css|json)$/i
const SEE = 'see docs/nginx.md, "Rewrites"'

/**
 * Finds rewrites after which the gate is asked about a script and not about the client's path, and rewrites
 * that lead out of a protected location. Those with `redirect` or `permanent` answer the client.
 */
export function findLostPaths(server: Server): Finding[] {
  const ofServer = rewritesIn(server.directives).flatMap((rewrite) => judge(server, rewrite, undefined))
  const ofLocations = server.protectedLocations.flatMap((location) =>
    rewritesIn(location.directives).flatMap((rewrite) => judge(server, rewrite, location)),
  )
  return [...ofServer, ...ofLocations]
}

function rewritesIn(directives: readonly Directive[]): Directive[] {
  return directives.flatMap((one) => {
    if (one.name === 'if') return rewritesIn(one.block ?? [])
    const [, replacement = '', flag = ''] = one.args
    const stays =
      one.name === 'rewrite' && replacement.startsWith('/') && !/^(?:redirect|permanent)$/.test(flag)
    return stays ? [one] : []
  })
}

/** @param around the protected location that holds the rewrite; undefined = the server itself */
function judge(server: Server, rewrite: Directive, around: Location | undefined): Finding[] {
  const [pattern = '', replacement = '', flag] = rewrite.args
  // After the include the path is known, and a break before it is found by another rule.
  if (!/\$[\d{\w]/.test(replacement) || (flag === 'break' && around !== undefined)) return []
  const [path = '', query = ''] = replacement.split(/\?(.*)/s)
  const taker = locate(server.locations, filled(path))
  const told = `${around?.told ?? server.told}: the rewrite of ${placeOf(rewrite)}`
  if (taker?.asks === AUTH) {
    if (path.includes('$') || page.test(path)) return []
    const sentence = `${told} makes parameters of ${path} out of ${query}: the backend is asked about ${path}, and what the client's path said is lost`
    const remedy = `include location.conf in a location for the client's path, and rewrite behind it; ${SEE}`
    return [failed(sentence, remedy)]
  }
  const left = around ?? locate(server.locations, filled(beginningOf(pattern)))
  if (left?.asks !== AUTH || left.pattern === AUTH || !isOpen(taker ?? server)) return []
  const sentence = `${told} leads out of ${left.told} to ${(taker ?? server).told}, where nobody is asked`
  return [failed(sentence, `include location.conf in the location where it leads, too; ${SEE}`)]
}

function filled(path: string): string {
  return path.replaceAll(/\$(?:\d|\{?\w+\}?)/g, INVENTED)
}

/** The plain text that a rewrite's pattern begins with: `/live/` of `^/live/(.*)$`. */
function beginningOf(pattern: string): string {
  const begin = /^\^(\/[\w/-]*)/.exec(pattern)?.[1] ?? ''
  return begin === '' ? '' : `${begin}${INVENTED}`
}
