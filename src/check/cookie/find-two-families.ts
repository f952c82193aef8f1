import { isIP } from 'node:net'
import { isLoopback } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named } from '../nginx-conf/directive.ts'
import { readTarget } from '../nginx-conf/gate-addresses.ts'
import { allLocations, type Server, type SiteMap } from '../nginx-conf/site-map.ts'
import { hasCookie } from './add-headers.ts'

const { warning } = findingsOf('nginx-cookie')
/** A host name with a dot, whose last part is no number. */
const hostName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
/** What a resolver makes of IPv4 addresses for a network without IPv4 (RFC 6052). */
const translated = /^64:ff9b:/i
const MOST_NAMES = 10

/** The addresses that DNS has for a host name. Never fails, and answers within a deadline. */
export type AddressesOf = (host: string) => Promise<readonly string[]>

/** Finds names of sites without a session cookie that viewers may reach over IPv6 and over IPv4 in turn. */
export async function findTwoFamilies(map: SiteMap, addressesOf: AddressesOf): Promise<readonly string[]> {
  const names = namesOfBoth(map).slice(0, MOST_NAMES)
  const found = await Promise.all(names.map(addressesOf))
  return names.filter((_name, index) => {
    const families = (found[index] ?? []).filter((one) => !translated.test(one)).map(isIP)
    return families.includes(4) && families.includes(6)
  })
}

/** The hint about these names. */
export function tellTwoFamilies(names: readonly string[]): Finding[] {
  const [first] = names
  if (first === undefined) return []
  const rest = names.length === 1 ? '' : `, and so have ${names.length - 1} more sites`
  const sentence = `${first} has addresses of IPv4 and of IPv6, and no session cookie${rest}: a browser that takes the playlist over one and segments over the other is refused`
  const remedy =
    'SESSION_COOKIE=on, and cookie.conf in its locations; see docs/sessions.md. If no browsers play there: SESSION_COOKIE=off, so that this is no warning'
  return [warning(sentence, remedy, { names })]
}

/** Names of servers that protect without a cookie, and that clients of both families reach. */
function namesOfBoth({ http, servers }: SiteMap): string[] {
  const families = new Map<string, Set<number>>()
  for (const server of servers) {
    if (server.protectedLocations.length === 0 || setsCookie(server)) continue
    for (const name of named(server.directives, 'server_name').flatMap(({ args }) => args)) {
      const host = name.replace(/^\./, '').toLowerCase()
      if (!hostName.test(host)) continue
      families.set(host, new Set([...(families.get(host) ?? []), ...familiesOf(http, server)]))
    }
  }
  return [...families].filter(([, { size }]) => size === 2).map(([host]) => host)
}

function setsCookie({ locations }: Server): boolean {
  return allLocations(locations).some(({ directives }) => hasCookie(directives))
}

/** The families of the clients that a server knows. Behind a proxy these are those that the proxy tells. */
function familiesOf(http: readonly Directive[], { directives }: Server): number[] {
  if ([directives, http].some((level) => named(level, 'real_ip_header').length > 0)) return [4, 6]
  const listens = named(directives, 'listen')
  if (listens.length === 0) return [4]
  return listens.flatMap(({ args: [at = '', ...parameters] }) => {
    if (/^\d+$/.test(at)) return [4]
    const target = readTarget(at)
    if (target?.kind !== 'tcp' || isLoopback(target.host)) return []
    if (!target.host.includes(':')) return [4]
    return parameters.includes('ipv6only=off') ? [4, 6] : [6]
  })
}
