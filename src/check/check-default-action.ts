import type { BackendMode } from '../backend/ask-backends.ts'
import type { Verdict } from '../verdict.ts'
import type { Readyz } from './check-admin.ts'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'

export interface DefaultActionOptions {
  readonly defaultAction: Verdict
  readonly mode: BackendMode
  /** Undefined when nobody tells. */
  readonly readyz: Readyz | undefined
  /** Whether each backend answered this check. */
  readonly answered: readonly boolean[]
  /** Whether nothing answers where the gate should be. */
  readonly gateIsDown: boolean
  /** What nginx does without the gate, where it is known. */
  readonly onFailure: Verdict | undefined
}

/** What DEFAULT_ACTION means, and whether it decides about strangers right now. */
export function checkDefaultAction(options: DefaultActionOptions): Finding {
  const name = 'default-action'
  const { readyz, mode, answered, gateIsDown, onFailure } = options
  const action = readyz?.defaultAction ?? options.defaultAction
  const strangers = action === 'allow' ? 'let in' : 'refused'
  if (gateIsDown) {
    if (onFailure === undefined)
      return skipped(name, 'the gate is down: the on-failure file of nginx decides')
    const means = onFailure === 'allow' ? 'lets everybody in' : 'refuses everybody'
    const remedy = 'start the gate; until then on-failure-*.conf decides, not DEFAULT_ACTION'
    return failed(name, `the gate is down: nginx ${means} right now`, remedy, { action, onFailure })
  }
  const backends = readyz?.backends
  const down = backends?.filter(({ state }) => state === 'unavailable') ?? []
  const isDown = (count: number, of: number): boolean => (mode === 'any' ? count > 0 : count === of && of > 0)
  const fails = isDown(answered.filter((one) => !one).length, answered.length)
  const detail = { action, ...(readyz?.byDefault === undefined ? {} : { byDefault: readyz.byDefault }) }
  const { letIn, refused } = readyz?.byDefault ?? { letIn: 0, refused: 0 }
  const sofar = `since its start ${letIn} were let in so, ${refused} refused`

  if (backends === undefined || !isDown(down.length, backends.length)) {
    if (fails) {
      const remedy = 'repair the backend: see above'
      return failed(
        name,
        `${action}: strangers would be ${strangers} now, as this check got no answer`,
        remedy,
        detail,
      )
    }
    return ok(
      name,
      `${action}: strangers are ${strangers} while the backend is unavailable; now it answers`,
      detail,
    )
  }
  const since = down.map(({ reason, seconds }) => `${reason}, ${seconds} s`).join('; ')
  if (!fails) {
    const remedy = 'nothing, if it was restarted just now: the next question of the gate will tell'
    return warning(
      name,
      `the last question of the gate failed (${since}), but this check got answers`,
      remedy,
      detail,
    )
  }
  return failed(
    name,
    `${action}: strangers are being ${strangers} right now (unavailable: ${since}); ${sofar}`,
    action === 'allow'
      ? 'repair the backend: see above. DEFAULT_ACTION=deny would refuse them'
      : 'repair the backend: see above. DEFAULT_ACTION=allow would let them in',
    detail,
  )
}

/** Whether the running gate has the settings that were checked. */
export function checkRunningSettings(
  readyz: Readyz | undefined,
  backends: readonly string[],
  defaultAction: Verdict,
): Finding {
  const name = 'running-settings'
  if (readyz?.backends === undefined) return skipped(name, 'not known: the admin listener does not tell')
  const running = readyz.backends.map((backend) => backend.name)
  const remedy = 'restart the gate, so that these settings count, or run this check with those of the gate'
  if (running.join(' ') !== backends.join(' '))
    return warning(name, `the running gate asks ${running.join(', ')}`, remedy, { backends: running })
  if (readyz.defaultAction !== undefined && readyz.defaultAction !== defaultAction)
    return warning(name, `the running gate has DEFAULT_ACTION=${readyz.defaultAction}`, remedy)
  return ok(name, 'the running gate has the same backend and default action')
}
