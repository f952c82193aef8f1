import type { Verdict } from '../../verdict.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from './check-admin.ts'

const { ok, warning, skipped } = findingsOf('running-settings')

/**
 * Checks that the running gate has the settings that were checked.
 * @param backends the names of the backends
 */
export function checkRunningSettings(
  readyz: Readyz | undefined,
  backends: readonly string[],
  defaultAction: Verdict,
): Finding {
  if (readyz?.backends === undefined) return skipped('not known: the admin listener does not tell')
  const running = readyz.backends.map(({ name }) => name)
  const remedy = 'restart the gate, so that these settings count, or run this check with those of the gate'
  if (running.join(' ') !== backends.join(' '))
    return warning(`the running gate asks ${running.join(', ')}`, remedy, { backends: running })
  if (readyz.defaultAction !== undefined && readyz.defaultAction !== defaultAction)
    return warning(`the running gate has DEFAULT_ACTION=${readyz.defaultAction}`, remedy)
  return ok('the running gate has the same backend and default action')
}
