import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named } from '../nginx-conf/directive.ts'
import { locate } from '../nginx-conf/locate.ts'
import { missingFrom, readShipped } from '../nginx-conf/shipped.ts'
import { AUTH, allLocations, type Location, type Server } from '../nginx-conf/site-map.ts'
import { hasCookie, isHere } from './add-headers.ts'

const { warning, failed } = findingsOf('nginx-cookie')

/** Finds a cookie.conf that does nothing where it stands, or of which lines are missing. */
export function findMisplaced(server: Server): Finding[] {
  const atLevel = hasCookie(server.directives)
    ? [
        failed(
          `cookie.conf is included in ${server.told} itself, where it sets no cookie`,
          'include it in each protected location, behind location.conf',
        ),
      ]
    : []
  const inner = allLocations(server.locations).filter(({ directives }) => hasCookie(directives))
  return [...atLevel, ...inner.flatMap((location) => judge(server, location))]
}

function judge(server: Server, location: Location): Finding[] {
  const { asks, asksItself, directives, told } = location
  if (asks !== AUTH) {
    if (isReachedInside(server, location)) return []
    const sentence = `${told} includes cookie.conf, but not location.conf: nobody is asked there, and no cookie is set`
    return [failed(sentence, 'include location.conf before it')]
  }
  // Another check tells that everybody is refused there.
  if (!asksItself) return []
  if (directives.findLastIndex(isReset) > directives.findLastIndex(isHere)) {
    const sentence = `${told} includes cookie.conf before location.conf, which takes back what it sets: the cookie does nothing there`
    return [failed(sentence, 'include cookie.conf behind location.conf')]
  }
  const missing = missingFrom(directives, readShipped('cookie.conf'))
  if (missing.length === 0) return []
  const lines = missing.map(({ name, args }) => `${name} ${args[0]}`).join(', ')
  const remedy = 'include cookie.conf of this version in place of lines of your own'
  return [warning(`${told} has not all lines of cookie.conf: ${lines}`, remedy)]
}

function isReset({ name, args }: Directive): boolean {
  return name === 'set' && args[0] === '$alta_auth_here' && args[1] === ''
}

/** Whether a location answers for another one, which has asked. */
function isReachedInside({ locations, directives }: Server, location: Location): boolean {
  if (location.modifier === '@' || named(location.directives, 'internal').length > 0) return true
  const all = [directives, ...allLocations(locations).map((one) => one.directives)].flat()
  return [...named(all, 'try_files'), ...named(all, 'error_page')].some(({ args }) => {
    const target = args.at(-1)?.replace(/\?.*/, '') ?? ''
    return target.startsWith('/') && locate(locations, target) === location
  })
}
