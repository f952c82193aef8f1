import type { Verdict } from '../../verdict.ts'
import { type Finding, failed, ok, warning } from '../finding.ts'
import { lastOf } from './directive.ts'
import { findAuth, findOnFailure, type Location, type SiteMap } from './site-map.ts'

const NAME = 'nginx-on-failure'

/** What a server does when the gate gives no answer; undefined = something of the operator's own. */
function verdictOf({ directives }: Location): Verdict | undefined {
  const status = lastOf(directives, 'return')?.args[0] ?? ''
  if (/^2\d\d$/.test(status)) return 'allow'
  return status === '403' || status === '401' ? 'deny' : undefined
}

/** What nginx does without the gate, when all servers agree. */
export function onFailureOf({ servers }: SiteMap): Verdict | undefined {
  const verdicts = servers
    .filter((server) => findAuth(server) !== undefined)
    .flatMap((server) => findOnFailure(server).map(verdictOf))
  return verdicts.every((one) => one === verdicts[0]) ? verdicts[0] : undefined
}

/** Exactly one flavour in each server that asks, and the one that fits DEFAULT_ACTION. */
export function checkOnFailure({ servers }: SiteMap, defaultAction: Verdict): readonly Finding[] {
  const asking = servers.filter((server) => findAuth(server) !== undefined)
  const findings = asking.flatMap((server): Finding[] => {
    const [location, second] = findOnFailure(server)
    if (location === undefined) {
      const remedy = `include on-failure-${defaultAction}.conf beside server.conf`
      return [
        failed(NAME, `${server.told} has no on-failure file: without the gate every viewer gets 500`, remedy),
      ]
    }
    if (second !== undefined) {
      const remedy = `include exactly one: on-failure-${defaultAction}.conf fits DEFAULT_ACTION`
      return [failed(NAME, `${server.told} has two on-failure files, and nginx takes either of them`, remedy)]
    }
    const verdict = verdictOf(location)
    if (verdict === undefined) {
      const remedy = 'include on-failure-deny.conf or on-failure-allow.conf in its place'
      return [failed(NAME, `${location.told} gives neither 204 nor 403, so it is a 500 for viewers`, remedy)]
    }
    if (verdict === defaultAction) return []
    const does = verdict === 'allow' ? 'let in' : 'refused'
    const remedy = `include on-failure-${defaultAction}.conf, if the two should agree`
    return [
      warning(
        NAME,
        `${server.told}: DEFAULT_ACTION=${defaultAction}, but without the gate viewers are ${does}`,
        remedy,
      ),
    ]
  })
  if (findings.length > 0) return findings
  return [
    ok(
      NAME,
      `without the gate viewers are ${defaultAction === 'allow' ? 'let in' : 'refused'}, as DEFAULT_ACTION says`,
    ),
  ]
}
