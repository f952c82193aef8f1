import { formatAddress, isPublic, type ListenAddress } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { hostOf, leadsTo, targetsOf } from '../nginx-conf/gate-addresses.ts'
import { allLocations, type SiteMap } from '../nginx-conf/site-map.ts'

/** The listeners of the gate, and nginx's configuration. */
interface ExposureOptions {
  /** Undefined when nginx's configuration is not known. */
  readonly map: SiteMap | undefined
  readonly listening: ListenAddress
  readonly admin: ListenAddress | undefined
  readonly hasToken: boolean
}

const { ok, warning, failed } = findingsOf('exposure')

/** Checks that only nginx can reach the gate. Other clients of the gate can ask in any viewer's name. */
export function checkExposure(options: ExposureOptions): readonly Finding[] {
  const { map, listening } = options
  const findings: Finding[] = []
  if (isPublic(listening)) {
    const remedy = 'listen on 127.0.0.1 or on a Unix socket, or let a firewall admit nginx only'
    findings.push(warning(`LISTEN=${formatAddress(listening)} can be reached from other machines`, remedy))
  }
  if (map !== undefined) findings.push(...checkDoors(map, options))
  return findings.length > 0 ? findings : [ok(`nobody but this machine reaches ${formatAddress(listening)}`)]
}

/** Locations of nginx that lead to one of our listeners. */
function checkDoors(map: SiteMap, { listening, admin, hasToken }: ExposureOptions): Finding[] {
  const locations = map.servers.flatMap((server) => allLocations(server.locations))
  return locations.flatMap(({ directives, told }): Finding[] => {
    const pass = lastOf(directives, 'proxy_pass')?.args[0]
    if (pass === undefined || lastOf(directives, 'internal') !== undefined) return []
    const host = hostOf(pass)
    const leads = (to: ListenAddress): boolean =>
      targetsOf(map, host).some(({ address }) => leadsTo(address, to))
    if (host === 'alta_auth' || leads(listening)) {
      const remedy = 'take that location away, or write internal; into it'
      return [failed(`${told} opens the gate to everybody`, remedy)]
    }
    if (admin === undefined || hasToken || !leads(admin)) return []
    const remedy = 'set ADMIN_TOKEN, or take that location away'
    return [failed(`${told} opens the admin listener to everybody`, remedy)]
  })
}
