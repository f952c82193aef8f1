import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf } from '../nginx-conf/directive.ts'
import { missingFrom, readShipped } from '../nginx-conf/shipped.ts'
import { AUTH, type Location, type SiteMap } from '../nginx-conf/site-map.ts'
import { findBareSegments } from './find-bare-segments.ts'
import { findLoosened } from './find-loosened.ts'
import { findOpenKeys } from './find-open-keys.ts'
import { findOpenMedia } from './find-open-media.ts'
import { findReplacedQuestions } from './find-replaced-questions.ts'
import { findSecondDoors } from './find-second-doors.ts'
import { findTakenMedia } from './find-taken-media.ts'

const { ok, warning, failed } = findingsOf('nginx-locations')
const SHOWN = 6

/** Checks that media is protected, and that each protected location has the lines of location.conf. */
export function checkLocations(map: SiteMap): readonly Finding[] {
  const { http, servers } = map
  const protecting = servers.filter(({ protectedLocations }) => protectedLocations.length > 0)
  const locations = protecting.flatMap(({ protectedLocations }) => protectedLocations)
  if (locations.length === 0)
    return [
      failed(
        'no location is protected: everything is open',
        'include location.conf in each location to protect',
      ),
    ]
  const atLevel = [
    ...checkLevel(http, 'http'),
    ...protecting.flatMap(({ directives, told }) => checkLevel(directives, told)),
  ]
  if (atLevel.length > 0) return atLevel
  const doors = findSecondDoors(map)
  const findings = [
    ...locations.flatMap(checkLines),
    ...protecting.flatMap((server) => [
      ...findLoosened(http, server),
      ...findReplacedQuestions(http, server),
      ...findTakenMedia(server),
      ...findBareSegments(map, server),
      ...findOpenMedia(server, doors),
    ]),
    ...doors.values(),
    ...findOpenKeys(map),
  ]
  if (findings.length > 0) return findings
  const where = protecting.length === 1 ? '1 server' : `${protecting.length} servers`
  const names = locations.map(({ name }) => name)
  const rest = names.length > SHOWN ? [`and ${names.length - SHOWN} more`] : []
  const sentence = `protected in ${where}: ${[...names.slice(0, SHOWN), ...rest].join(', ')}`
  return [ok(sentence, undefined, { locations: locations.map(({ told }) => told) })]
}

/** A `set` at server level runs in the subrequest again, and would empty the path. */
function checkLevel(directives: readonly Directive[], told: string): Finding[] {
  if (lastOf(directives, 'auth_request')?.args[0] !== AUTH) return []
  const remedy = 'include it in each location to protect, nowhere else'
  return [failed(`location.conf is included in ${told} itself`, remedy)]
}

/** Nested locations inherit `auth_request`, but not `set`. */
function checkLines({ asksItself, directives, told }: Location): Finding[] {
  if (lastOf(directives, 'return') !== undefined) {
    const remedy = 'return answers before anybody is asked: put it into a location of its own'
    return [warning(`${told} holds a return, which nobody is asked about`, remedy)]
  }
  const missing = missingFrom(directives, readShipped('location.conf'))
  if (missing.length === 0) return []
  if (!asksItself) {
    const sentence = `${told} is protected by the location around it, but without a path to ask about: everybody is refused`
    const remedy =
      'include location.conf in it, too: auth_request is inherited, its set lines are not. What needs no protection: auth_request off;'
    return [failed(sentence, remedy)]
  }
  const remedy = 'include location.conf in place of lines of your own'
  if (missing.some(({ name, args }) => name === 'set' && args[0] === '$alta_auth_path')) {
    const sentence = `${told} asks with lines of its own, which do not tell the path: everybody is refused`
    return [failed(sentence, remedy)]
  }
  const variables = missing.map(({ args }) => args[0]).join(', ')
  return [warning(`${told} has not all lines of location.conf: ${variables}`, remedy)]
}
