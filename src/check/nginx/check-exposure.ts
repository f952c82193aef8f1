import { formatAddress, isPublic, type ListenAddress } from '../../listen.ts'
import { type Finding, failed, ok, warning } from '../finding.ts'
import { lastOf } from './directive.ts'
import { hostOf, leadsTo, targetsOf } from './gate-addresses.ts'
import { allLocations, type SiteMap } from './site-map.ts'

export interface ExposureOptions {
  /** Undefined where nginx's configuration is not known. */
  readonly map: SiteMap | undefined
  readonly listening: ListenAddress
  readonly admin: ListenAddress | undefined
  readonly hasToken: boolean
}

const NAME = 'exposure'

/** Whether somebody else than nginx can speak to the gate: who can may ask in any viewer's name. */
export function checkExposure({ map, listening, admin, hasToken }: ExposureOptions): readonly Finding[] {
  const findings: Finding[] = []
  if (isPublic(listening)) {
    const remedy = 'listen on 127.0.0.1 or on a Unix socket, or let a firewall admit nginx only'
    findings.push(
      warning(NAME, `LISTEN=${formatAddress(listening)} can be reached from other machines`, remedy),
    )
  }
  for (const server of map?.servers ?? []) {
    for (const location of allLocations(server.locations)) {
      const pass = lastOf(location.directives, 'proxy_pass')?.args[0]
      if (map === undefined || pass === undefined || lastOf(location.directives, 'internal') !== undefined)
        continue
      const host = hostOf(pass)
      const targets = targetsOf(map, host)
      if (host === 'alta_auth' || targets.some(({ address }) => leadsTo(address, listening))) {
        const remedy = 'take that location away, or write internal; into it'
        findings.push(failed(NAME, `${location.told} opens the gate to everybody`, remedy))
      } else if (admin !== undefined && !hasToken && targets.some(({ address }) => leadsTo(address, admin))) {
        const remedy = 'set ADMIN_TOKEN, or take that location away'
        findings.push(failed(NAME, `${location.told} opens the admin listener to everybody`, remedy))
      }
    }
  }
  return findings.length > 0
    ? findings
    : [ok(NAME, `nobody but this machine reaches ${formatAddress(listening)}`)]
}
