import { isPublic, type ListenAddress } from '../../listen.ts'
import type { Verdict } from '../../verdict.ts'
import { type CheckName, checkNames } from '../check-names.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { FoundGate } from '../gate/check-gate.ts'
import type { Target } from '../nginx-conf/gate-addresses.ts'
import type { SiteMap } from '../nginx-conf/site-map.ts'
import { checkCache } from './check-cache.ts'
import { checkErrorLog } from './check-error-log.ts'
import { checkIncludes, usesAltaAuth } from './check-includes.ts'
import { checkLocations } from './check-locations.ts'
import { checkLog } from './check-log.ts'
import { checkOnFailure } from './check-on-failure.ts'
import { checkRewrites } from './check-rewrites.ts'
import { checkTimeouts } from './check-timeouts.ts'
import { checkUpstream } from './check-upstream.ts'
import type { ReadNginx } from './read-nginx.ts'

export interface CheckNginxOptions {
  readonly listening: ListenAddress
  readonly defaultAction: Verdict
  /** Milliseconds. */
  readonly deadline: number
  readonly sessionIdle: number
  readonly tokenParams: readonly string[]
  /** Wall clock in milliseconds. */
  readonly now: number
  /** Whom nginx asks, and what is there. */
  readonly found: ReadonlyMap<Target, FoundGate>
}

const ofConfiguration = checkNames.filter((name) => name.startsWith('nginx-'))

/** All checks of nginx's configuration. */
export function checkNginx({ finding, map }: ReadNginx, options: CheckNginxOptions): readonly Finding[] {
  const { listening, found } = options
  if (map === undefined) return [finding, ...skipAll(ofConfiguration, 'not looked at: see nginx')]
  if (!usesAltaAuth(map)) {
    const rest = ofConfiguration.filter((name) => name !== 'nginx-includes')
    return [finding, checkUnused(listening), ...skipAll(rest, 'nginx does not use alta-auth')]
  }
  return [
    finding,
    ...checkIncludes(map),
    ...checkLocations(map),
    ...checkOnFailure(map, options.defaultAction),
    ...checkRewrites(map),
    ...checkCache(map, options),
    ...checkTimeouts(map, options.deadline),
    ...checkUpstream(map, [...found.keys()], listening, (target) => found.get(target)?.state === 'answers'),
    ...checkLogs(map, options.tokenParams),
  ]
}

function checkLogs(map: SiteMap, tokenParams: readonly string[]): readonly Finding[] {
  const findings = [...checkLog(map, tokenParams), ...checkErrorLog(map)]
  const flaws = findings.filter(({ result }) => result !== 'ok')
  return flaws.length > 0 ? flaws : findings
}

/** The nginx that asks may be on another machine, but only when the gate can be reached from there. */
function checkUnused(listening: ListenAddress): Finding {
  const { warning, failed } = findingsOf('nginx-includes')
  const sentence = 'the nginx of this machine includes nothing of alta-auth'
  const remedy = 'include http.conf, server.conf, one on-failure file and location.conf; see docs/nginx.md'
  return isPublic(listening)
    ? warning(sentence, `all is well if another nginx asks. Otherwise ${remedy}`)
    : failed(`${sentence}: it serves everything openly`, remedy)
}

function skipAll(names: readonly CheckName[], why: string): Finding[] {
  return names.map((name) => findingsOf(name).skipped(why))
}
