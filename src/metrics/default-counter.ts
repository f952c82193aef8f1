import type { DecisionMade } from '../decision/decide.ts'

/** How often the default action decided about a viewer nobody knew. */
export interface DefaultCounter {
  note(made: DecisionMade): void
  totals(): { readonly letIn: number; readonly refused: number }
}

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
