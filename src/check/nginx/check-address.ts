import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import { listensAtHome } from '../nginx-conf/listens-at-home.ts'
import type { Server, SiteMap } from '../nginx-conf/site-map.ts'

const { ok, failed } = findingsOf('nginx-address')
/** Everybody. */
const all = /^(?:0\.0\.0\.0|::|0:0:0:0:0:0:0:0)\/0$/

/** Checks whose word about a client's address counts. Sessions and shares are kept by address. */
export function checkAddress({ http, servers }: SiteMap): readonly Finding[] {
  const lines = new Set(
    servers
      .filter(
        ({ protectedLocations, directives }) => protectedLocations.length > 0 && !listensAtHome(directives),
      )
      .flatMap((server) => trusting(server, http)),
  )
  const findings = [...lines].map((line) => {
    const sentence = `${line.name} ${line.args[0]} (${placeOf(line)}) believes everybody: each client chooses its own address`
    return failed(sentence, 'name only the proxies in front, such as set_real_ip_from 192.0.2.10;')
  })
  return findings.length > 0 ? findings : [ok('no client chooses its own address')]
}

/** A server's own lines replace those of `http`, and a location's those of its server. */
function trusting({ directives, protectedLocations }: Server, http: readonly Directive[]): Directive[] {
  const own = named(directives, 'set_real_ip_from')
  const inherited = own.length > 0 ? own : named(http, 'set_real_ip_from')
  const inner = protectedLocations.flatMap((one) => named(one.directives, 'set_real_ip_from'))
  return [...inherited, ...inner].filter(({ args }) => all.test(args[0] ?? ''))
}
