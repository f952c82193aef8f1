import { isPublic, type ListenAddress } from '../listen.ts'
import type { Verdict } from '../verdict.ts'
import type { FoundGate } from './check-gate.ts'
import { type CheckName, checkNames } from './check-names.ts'
import { type Finding, failed, skipped, warning } from './finding.ts'
import { checkCache } from './nginx/check-cache.ts'
import { checkExposure } from './nginx/check-exposure.ts'
import { checkIncludes, usesAltaAuth } from './nginx/check-includes.ts'
import { checkLocations } from './nginx/check-locations.ts'
import { checkLog } from './nginx/check-log.ts'
import { checkOnFailure } from './nginx/check-on-failure.ts'
import { checkRewrites } from './nginx/check-rewrites.ts'
import { checkTimeouts } from './nginx/check-timeouts.ts'
import { checkUpstream } from './nginx/check-upstream.ts'
import type { Target } from './nginx/gate-addresses.ts'
import type { ReadNginx } from './nginx/read-nginx.ts'

export interface CheckNginxOptions {
  readonly listening: ListenAddress
  readonly admin: ListenAddress | undefined
  readonly hasToken: boolean
  readonly defaultAction: Verdict
  /** Milliseconds. */
  readonly deadline: number
  readonly sessionIdle: number
  readonly tokenParams: readonly string[]
  /** Whom nginx asks, and what is there. */
  readonly found: ReadonlyMap<Target, FoundGate>
}

const ofConfiguration = checkNames.filter((name) => name.startsWith('nginx-'))

/** All checks of nginx's configuration. */
export function checkNginx({ finding, map }: ReadNginx, options: CheckNginxOptions): readonly Finding[] {
  const { listening, admin, hasToken, defaultAction, found } = options
  const exposure = checkExposure({ map, listening, admin, hasToken })
  if (map === undefined)
    return [finding, ...skipAll(ofConfiguration, 'not looked at: see nginx'), ...exposure]
  if (!usesAltaAuth(map)) {
    const rest = ofConfiguration.filter((name) => name !== 'nginx-includes')
    return [finding, checkUnused(listening), ...skipAll(rest, 'nginx does not use alta-auth'), ...exposure]
  }
  return [
    finding,
    ...checkIncludes(map),
    ...checkLocations(map),
    ...checkOnFailure(map, defaultAction),
    ...checkRewrites(map),
    ...checkCache(map, options.sessionIdle),
    ...checkTimeouts(map, options.deadline),
    ...checkUpstream(map, [...found.keys()], listening, (target) => found.get(target)?.state === 'answers'),
    ...checkLog(map, options.tokenParams),
    ...exposure,
  ]
}

/** The nginx that asks may be on another machine, but only when the gate can be reached from there. */
function checkUnused(listening: ListenAddress): Finding {
  const name = 'nginx-includes'
  const sentence = 'the nginx of this machine includes nothing of alta-auth'
  const remedy = 'include http.conf, server.conf, one on-failure file and location.conf; see docs/nginx.md'
  return isPublic(listening)
    ? warning(name, sentence, `all is well if another nginx asks. Otherwise ${remedy}`)
    : failed(name, `${sentence}: it serves everything openly`, remedy)
}

function skipAll(names: readonly CheckName[], why: string): Finding[] {
  return names.map((name) => skipped(name, why))
}
