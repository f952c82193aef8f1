import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from './check-admin.ts'

const { ok, warning, skipped } = findingsOf('running-verdicts')
/** So many denies without one allow are no chance on a site that has viewers. */
const MANY = 20

/**
 * Checks that the backend does not deny everybody. The invented tokens of this check tell nothing about that:
 * only viewers bring good ones.
 */
export function checkRunningVerdicts(readyz: Readyz | undefined): Finding {
  const { byBackend } = readyz ?? {}
  if (byBackend === undefined) return skipped('not known: the admin listener does not tell')
  const { letIn, refused } = byBackend
  if (letIn > 0 || refused < MANY)
    return ok('the backend does not deny everybody, as far as the gate has asked', undefined, byBackend)
  const sentence = `since the gate started the backend has denied all ${refused} questions, and allowed none`
  const remedy =
    'ask about a viewer who must get in: alta-auth explain URL --direct. A proxy in between, such as cesbo/auth-proxy, says 403 also when its backends are down: name those in BACKEND_URL, with BACKEND_MODE=any'
  return warning(sentence, remedy, byBackend)
}
