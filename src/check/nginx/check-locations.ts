import { type Finding, failed, ok, warning } from '../finding.ts'
import { type Directive, isReturn, lastOf } from './directive.ts'
import { findOpenMedia } from './find-open-media.ts'
import { missingFrom, readShipped } from './shipped.ts'
import { AUTH, type Location, type SiteMap } from './site-map.ts'

const NAME = 'nginx-locations'

/** Whether what should be protected is, each location by the lines of location.conf. */
export function checkLocations({ http, servers }: SiteMap): readonly Finding[] {
  const asking = servers.filter(({ protectedLocations }) => protectedLocations.length > 0)
  const locations = asking.flatMap(({ protectedLocations }) => protectedLocations)
  if (locations.length === 0) {
    return [
      failed(
        NAME,
        'no location is protected: everything is open',
        'include location.conf in each location to protect',
      ),
    ]
  }
  const atLevel = [
    ...checkLevel(http, 'http'),
    ...asking.flatMap(({ directives, told }) => checkLevel(directives, told)),
  ]
  if (atLevel.length > 0) return atLevel
  const findings = [...locations.flatMap(checkLines), ...findOpenMedia(servers, http)]
  if (findings.length > 0) return findings
  const where = asking.length === 1 ? '1 server' : `${asking.length} servers`
  const told = locations.map(({ name }) => name)
  const shown = told.length > 6 ? [...told.slice(0, 6), `and ${told.length - 6} more`] : told
  return [
    ok(NAME, `protected in ${where}: ${shown.join(', ')}`, { locations: locations.map(({ told }) => told) }),
  ]
}

/** `set` of a server runs in the subrequest again, and wipes out the path. */
function checkLevel(directives: readonly Directive[], told: string): Finding[] {
  if (lastOf(directives, 'auth_request')?.args[0] !== AUTH) return []
  return [
    failed(
      NAME,
      `location.conf is included in ${told} itself`,
      'include it in each location to protect, nowhere else',
    ),
  ]
}

/** `auth_request` is inherited by nested locations, `set` is not. */
function checkLines(location: Location): Finding[] {
  const { asksItself, directives, told } = location
  if (directives.some(isReturn)) {
    const remedy = 'return answers before anybody is asked: put it into a location of its own'
    return [warning(NAME, `${told} holds a return, which nobody is asked about`, remedy)]
  }
  const missing = missingFrom(directives, readShipped('location.conf'))
  if (missing.length === 0) return []
  if (!asksItself) {
    const remedy = `include location.conf in it, too: auth_request is inherited, its set lines are not. What needs no protection: auth_request off;`
    return [
      failed(
        NAME,
        `${told} is protected by the location around it, but without a path to ask about: everybody is refused`,
        remedy,
      ),
    ]
  }
  const isVital = missing.some(({ args }) => args[0] === '$alta_auth_path')
  const remedy = 'include location.conf in place of lines of your own'
  return isVital
    ? [
        failed(
          NAME,
          `${told} asks with lines of its own, which do not tell the path: everybody is refused`,
          remedy,
        ),
      ]
    : [
        warning(
          NAME,
          `${told} has not all lines of location.conf: ${missing.map(({ args }) => args[0]).join(', ')}`,
          remedy,
        ),
      ]
}
