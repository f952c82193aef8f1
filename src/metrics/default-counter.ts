import type { DefaultTotals } from '../backend/backend-health.ts'
import type { DecisionMade } from '../decision/decide.ts'

/** Counts the decisions of the default action about unknown viewers. */
export interface DefaultCounter {
  note(made: DecisionMade): void
  totals(): DefaultTotals
}

/** Creates a counter at zero. */
export function createDefaultCounter(): DefaultCounter {
  let letIn = 0
  let refused = 0
  return {
    note({ decision, occasion }) {
      if (decision.source !== 'default' || occasion !== 'question') return
      if (decision.verdict === 'allow') letIn++
      else refused++
    },
    totals: () => ({ letIn, refused }),
  }
}
