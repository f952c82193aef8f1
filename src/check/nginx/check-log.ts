import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named } from '../nginx-conf/directive.ts'
import type { Location, Server, SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning } = findingsOf('nginx-log')
/** nginx's own format, used where no other is set. */
const COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status'

/** Checks that no log holds tokens of viewers. @param tokenParams the names of TOKEN_PARAM */
export function checkLog({ http, servers }: SiteMap, tokenParams: readonly string[]): readonly Finding[] {
  const formats = new Map([
    ['combined', COMBINED],
    ...named(http, 'log_format').map(({ args: [name = '', ...parts] }): [string, string] => [
      name,
      parts.join(''),
    ]),
  ])
  const secret = new RegExp(
    `\\$\\{?(?:request|request_uri|args|query_string|arg_(?:${tokenParams.map(escaped).join('|')}))(?![A-Za-z0-9_])`,
    'i',
  )
  const findings = servers.flatMap((server) => {
    const written = server.protectedLocations.flatMap((location) => logsOf(location, server, http))
    const leaking = [...new Set(written)].filter((format) => secret.test(formats.get(format) ?? ''))
    if (leaking.length === 0) return []
    const remedy =
      'access_log /var/log/nginx/access.log alta_auth; it writes the path without the query, and the verdict'
    return [warning(`${server.told} writes tokens to its access log (format ${leaking.join(', ')})`, remedy)]
  })
  return findings.length > 0 ? findings : [ok('no token is written to an access log')]
}

/** The formats that count for a location: its own, or those of the next level that has any. */
function logsOf({ directives }: Location, server: Server, http: readonly Directive[]): string[] {
  const level = [directives, server.directives, http].find((one) => named(one, 'access_log').length > 0)
  if (level === undefined) return ['combined']
  return named(level, 'access_log').flatMap(({ args: [file, format = 'combined'] }) => {
    if (file === 'off') return []
    return [format.includes('=') || format === 'gzip' ? 'combined' : format]
  })
}

function escaped(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '\\$&')
}
