import { formatAddress, type ListenAddress } from '../../listen.ts'
import { type Finding, failed, ok, warning } from '../finding.ts'
import { lastOf } from './directive.ts'
import { leadsTo, type Target } from './gate-addresses.ts'
import { findAuth, type SiteMap } from './site-map.ts'

const NAME = 'nginx-upstream'

/** Whether nginx asks where the gate is. `answers` = a gate answered there just now, whatever LISTEN says. */
export function checkUpstream(
  map: SiteMap,
  targets: readonly Target[],
  listening: ListenAddress,
  answers: (target: Target) => boolean,
): readonly Finding[] {
  const findings: Finding[] = []
  for (const server of map.servers) {
    const auth = findAuth(server)
    const pass = lastOf(auth?.directives ?? [], 'proxy_pass')?.args[0] ?? ''
    if (auth !== undefined && !/\/auth$/.test(pass)) {
      const remedy = 'proxy_pass http://alta_auth/auth; as in server.conf'
      findings.push(
        failed(NAME, `${auth.told} asks ${pass || 'nobody'}; the gate refuses all but /auth`, remedy),
      )
    }
  }
  const astray = targets.filter((target) => !leadsTo(target.address, listening) && !answers(target))
  if (astray.length > 0) {
    const remedy = `server ${formatAddress(listening)} max_fails=0; in http.conf, or LISTEN as nginx has it`
    findings.push(
      failed(
        NAME,
        `nginx asks ${astray.map(({ text }) => text).join(', ')}, but LISTEN=${formatAddress(listening)}`,
        remedy,
      ),
    )
  }
  const counting = targets.filter(
    ({ parameters }) => parameters !== undefined && !parameters.includes('max_fails=0'),
  )
  if (counting.length > 0) {
    const told = `${counting.map(({ text }) => text).join(', ')} without max_fails=0`
    const remedy = 'write max_fails=0 behind each server line of http.conf'
    findings.push(
      targets.length > 1
        ? failed(NAME, `${told}: one failure takes a gate out for ten seconds, with all its viewers`, remedy)
        : warning(NAME, `${told}: harmless while there is one gate`, remedy),
    )
  }
  if (findings.length > 0) return findings
  return [
    ok(NAME, `nginx asks ${targets.map(({ text }) => text).join(', ')}`, {
      servers: targets.map(({ text }) => text),
    }),
  ]
}
