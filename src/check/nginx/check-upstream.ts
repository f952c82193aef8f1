import { maskUrl } from '../../config/mask.ts'
import { formatAddress, type ListenAddress } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { leadsTo, type Target } from '../nginx-conf/gate-addresses.ts'
import type { AskingServer, SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning, failed } = findingsOf('nginx-upstream')

/**
 * Checks that nginx asks where the gate is.
 * @param answers whether a gate has just answered there, whatever LISTEN says
 */
export function checkUpstream(
  { asking }: SiteMap,
  targets: readonly Target[],
  listening: ListenAddress,
  answers: (target: Target) => boolean,
): readonly Finding[] {
  const findings = asking.flatMap(checkPass)
  const listen = formatAddress(listening)
  const astray = targets.filter((target) => !leadsTo(target.address, listening) && !answers(target))
  if (astray.length > 0) {
    const remedy = `server ${listen} max_fails=0; in http.conf, or LISTEN as nginx has it`
    findings.push(failed(`nginx asks ${textOf(astray)}, but LISTEN=${listen}`, remedy))
  }
  const counting = targets.filter(({ parameters }) => parameters?.includes('max_fails=0') === false)
  if (counting.length > 0) {
    const told = `${textOf(counting)} without max_fails=0`
    const remedy = 'write max_fails=0 behind each server line of http.conf'
    findings.push(
      targets.length > 1
        ? failed(`${told}: one failure takes a gate out for ten seconds, with all its viewers`, remedy)
        : warning(`${told}: harmless while there is one gate`, remedy),
    )
  }
  const bounded = targets.filter(({ parameters }) => parameters?.some((one) => one.startsWith('max_conns=')))
  if (bounded.length > 0) {
    const told = `${textOf(bounded)} with max_conns: what is beyond, nginx takes for a dead gate`
    findings.push(failed(told, 'take max_conns out of http.conf; the gate bounds its questions by itself'))
  }
  if (findings.length > 0) return findings
  const servers = targets.map(({ text }) => text)
  return [ok(`nginx asks ${textOf(targets)}`, undefined, { servers })]
}

function checkPass({ auth }: AskingServer): Finding[] {
  const pass = lastOf(auth.directives, 'proxy_pass')?.args[0] ?? ''
  if (/\/auth$/.test(pass)) return []
  const remedy = 'proxy_pass http://alta_auth/auth; as in server.conf'
  return [failed(`${auth.told} asks ${maskUrl(pass) || 'nobody'}; the gate refuses all but /auth`, remedy)]
}

function textOf(targets: readonly Target[]): string {
  return targets.map(({ text }) => text).join(', ')
}
