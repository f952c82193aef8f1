import { isPublic, type ListenAddress } from '../../listen.ts'
import type { Verdict } from '../../verdict.ts'
import { type CheckName, checkNames } from '../check-names.ts'
import { type CheckCookieOptions, checkCookie } from '../cookie/check-cookie.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { FoundGate } from '../gate/check-gate.ts'
import { checkLocations } from '../locations/check-locations.ts'
import type { Target } from '../nginx-conf/gate-addresses.ts'
import { checkRewrites } from '../rewrites/check-rewrites.ts'
import { checkAddress } from './check-address.ts'
import { checkCache } from './check-cache.ts'
import { checkErrorLog } from './check-error-log.ts'
import { checkIncludes, usesAltaAuth } from './check-includes.ts'
import { checkKernel, type ReadKernel } from './check-kernel.ts'
import { checkLog } from './check-log.ts'
import { checkOnFailure } from './check-on-failure.ts'
import { checkTimeouts } from './check-timeouts.ts'
import { checkUpstream } from './check-upstream.ts'
import type { ReadNginx } from './read-nginx.ts'

/** The settings of the gate, and what runs on this machine. */
interface CheckNginxOptions extends CheckCookieOptions {
  readonly listening: ListenAddress
  readonly defaultAction: Verdict
  /** Milliseconds. */
  readonly deadline: number
  readonly sessionIdle: number
  readonly tokenParams: readonly string[]
  readonly readKernel: ReadKernel
  /** Wall clock in milliseconds. */
  readonly now: number
  /** The servers that nginx asks, and what answers there. */
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
  const targets = [...found.keys()]
  return [
    finding,
    ...checkIncludes(map),
    ...checkLocations(map),
    ...checkOnFailure(map, options.defaultAction),
    ...checkRewrites(map),
    ...checkAddress(map),
    ...checkCache(map, options),
    ...checkCookie(map, options),
    ...checkTimeouts(map, options.deadline),
    ...flawsAlone([
      ...checkUpstream(map, targets, listening, (target) => found.get(target)?.state === 'answers'),
      ...checkKernel(targets, options.readKernel),
    ]),
    ...flawsAlone([...checkLog(map, options.tokenParams), ...checkErrorLog(map)]),
  ]
}

/** Leaves out the findings that all is well when another half of the same check found a fault. */
function flawsAlone(findings: readonly Finding[]): readonly Finding[] {
  const flaws = findings.filter(({ result }) => result !== 'ok')
  return flaws.length > 0 ? flaws : findings
}

/**
 * Reports that nginx here does not use alta-auth. Another machine's nginx may ask, but only when it can reach
 * the gate.
 */
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
