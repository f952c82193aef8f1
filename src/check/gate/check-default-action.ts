import type { BackendMode } from '../../backend/ask-backends.ts'
import type { Verdict } from '../../verdict.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from './check-admin.ts'

/** What is known about gate, backends and nginx. */
interface DefaultActionOptions {
  readonly defaultAction: Verdict
  readonly mode: BackendMode
  /** Undefined when the gate did not answer. */
  readonly readyz: Readyz | undefined
  /** Whether each backend answered this check. */
  readonly answered: readonly boolean[]
  /** Whether nothing answers where the gate should be. */
  readonly gateIsDown: boolean
  /** What nginx does without the gate; undefined when it is not known. */
  readonly onFailure: Verdict | undefined
}

const { ok, warning, failed, skipped } = findingsOf('default-action')

/** Checks what DEFAULT_ACTION means, and whether it decides about unknown viewers right now. */
export function checkDefaultAction(options: DefaultActionOptions): Finding {
  const { readyz, mode, answered, gateIsDown, onFailure } = options
  const action = readyz?.defaultAction ?? options.defaultAction
  if (gateIsDown) return judgeWithoutGate(action, onFailure)
  const fate = action === 'allow' ? 'let in' : 'refused'
  const { byDefault } = readyz ?? {}
  const detail = { action, ...(byDefault === undefined ? {} : { byDefault }) }

  const backends = readyz?.backends ?? []
  const out = backends.filter(({ state }) => state === 'unavailable')
  const isOut = (count: number, of: number): boolean => (mode === 'any' ? count > 0 : count === of && of > 0)
  const gateSaysOut = isOut(out.length, backends.length)
  const checkSaysOut = isOut(answered.filter((one) => !one).length, answered.length)
  const since = out.map(({ reason, seconds }) => `${reason}, ${seconds} s`).join('; ')

  if (gateSaysOut && checkSaysOut) {
    const { letIn, refused } = byDefault ?? { letIn: 0, refused: 0 }
    const sofar = `since its start ${letIn} were let in so, ${refused} refused`
    const sentence = `${action}: unknown viewers are being ${fate} right now (unavailable: ${since}); ${sofar}`
    const other = action === 'allow' ? 'deny would refuse them' : 'allow would let them in'
    return failed(sentence, `repair the backend: see above. DEFAULT_ACTION=${other}`, detail)
  }
  if (checkSaysOut) {
    const sentence = `${action}: unknown viewers would be ${fate} now, as this check got no answer`
    return failed(sentence, 'repair the backend: see above', detail)
  }
  if (gateSaysOut) {
    const sentence = `the last question of the gate failed (${since}), but this check got answers`
    const remedy = 'nothing, if it was restarted just now: the next question of the gate will tell'
    return warning(sentence, remedy, detail)
  }
  const sentence = `${action}: unknown viewers are ${fate} while the backend is unavailable; now it answers`
  return ok(sentence, undefined, detail)
}

function judgeWithoutGate(action: string, onFailure: Verdict | undefined): Finding {
  if (onFailure === undefined) return skipped('the gate is down: the on-failure file of nginx decides')
  const means = onFailure === 'allow' ? 'lets everybody in' : 'refuses everybody'
  const remedy = 'start the gate; until then on-failure-*.conf decides, not DEFAULT_ACTION'
  return failed(`the gate is down: nginx ${means} right now`, remedy, { action, onFailure })
}
