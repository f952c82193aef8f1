import type { Verdict } from '../../verdict.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf, named, placeOf } from '../nginx-conf/directive.ts'
import { type AskingServer, type Location, ON_FAILURE, type SiteMap } from '../nginx-conf/site-map.ts'

const { ok, warning, failed } = findingsOf('nginx-on-failure')
/** The statuses that nginx gives when the gate is absent, and when it is frozen. */
const DEAD = ['502', '504']
const COPY = 'copy server.conf of this version again: error_page 502 504 and no other status'

/** What nginx does without the gate; undefined when the servers differ. */
export function onFailureOf({ asking }: SiteMap): Verdict | undefined {
  const verdicts = asking.flatMap(({ onFailure }) => onFailure.map(verdictOf))
  return verdicts.every((one) => one === verdicts[0]) ? verdicts[0] : undefined
}

/** Checks that each server that asks has exactly one on-failure file, and that it fits DEFAULT_ACTION. */
export function checkOnFailure({ asking }: SiteMap, defaultAction: Verdict): readonly Finding[] {
  const findings = asking.flatMap((server) => [
    ...checkServer(server, defaultAction),
    ...checkStatuses(server),
  ])
  if (findings.length > 0) return findings
  return [ok(`without the gate viewers are ${doneBy(defaultAction)}, as DEFAULT_ACTION says`)]
}

function checkServer({ onFailure, told }: AskingServer, defaultAction: Verdict): Finding[] {
  const fitting = `on-failure-${defaultAction}.conf`
  const [location, second] = onFailure
  if (location === undefined) {
    const remedy = `include ${fitting} beside server.conf`
    return [failed(`${told} has no on-failure file: without the gate every viewer gets 500`, remedy)]
  }
  if (second !== undefined) {
    const remedy = `include exactly one: ${fitting} fits DEFAULT_ACTION`
    return [failed(`${told} has two on-failure files, and nginx takes either of them`, remedy)]
  }
  const verdict = verdictOf(location)
  if (verdict === undefined) {
    const remedy = 'include on-failure-deny.conf or on-failure-allow.conf in its place'
    return [failed(`${location.told} gives neither 204 nor 403, so it is a 500 for viewers`, remedy)]
  }
  if (verdict === defaultAction) return []
  const sentence = `${told}: DEFAULT_ACTION=${defaultAction}, but without the gate viewers are ${doneBy(verdict)}`
  return [warning(sentence, `include ${fitting}, if the two should agree`)]
}

/**
 * Checks that only a dead gate leads to the on-failure file: no verdict does, and no fault of nginx itself.
 */
function checkStatuses({ auth, onFailure }: AskingServer): Finding[] {
  const leading = named(auth.directives, 'error_page').filter(({ args }) => args.at(-1) === ON_FAILURE)
  const statuses = leading.flatMap(({ args }) => args.filter((arg) => /^\d+$/.test(arg)))
  const missing = DEAD.filter((status) => !statuses.includes(status))
  if (missing.length > 0) {
    return [
      failed(`${auth.told}: ${missing.join(' and ')} lead to no on-failure file, a dead gate is a 500`, COPY),
    ]
  }
  const others = statuses.filter((status) => !DEAD.includes(status))
  if (others.length === 0) return []
  const told = `${placesOf(leading)}: ${others.join(' and ')} lead to the on-failure file, too`
  const isOpen = onFailure.some((location) => verdictOf(location) !== 'deny')
  return [
    isOpen
      ? failed(
          `${told}: bad tokens get in when nginx is out of connections, though the gate is healthy`,
          COPY,
        )
      : warning(`${told}: nginx's own trouble is logged as that of the gate`, COPY),
  ]
}

function placesOf(directives: readonly Directive[]): string {
  return [...new Set(directives.map(placeOf))].join(', ')
}

/** What a server does when the gate gives no answer; undefined = the operator has written something else. */
function verdictOf({ directives }: Location): Verdict | undefined {
  const status = lastOf(directives, 'return')?.args[0] ?? ''
  if (/^2\d\d$/.test(status)) return 'allow'
  return status === '403' || status === '401' ? 'deny' : undefined
}

function doneBy(verdict: Verdict): string {
  return verdict === 'allow' ? 'let in' : 'refused'
}
