import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { cookieHistories } from '../support/cookie-events.ts'
import { playCookieHistory, type Shown } from '../support/cookie-history.ts'
import { rounds } from '../support/rounds.ts'

/** To run other histories, and more: HISTORIES=10000 npm test -- test/decision/cookie-histories.test.ts */
const { HISTORIES } = process.env
const RUNS =
  HISTORIES === undefined ? { numRuns: rounds(20, 60), seed: 20_261_128 } : { numRuns: Number(HISTORIES) }

describe('whoever sends which cookie from where, in any history', () => {
  for (const byDefault of ['deny', 'allow'] as const)
    test(`nobody is let in unasked by a session that is not theirs, no holder is refused, and no value is seen twice or observed; by default ${byDefault}`, async (t) => {
      const shown: Shown = {
        ...{ allowed: 0, given: 0, joined: 0, held: 0, veryUrl: 0, 'kept out': 0, provisional: 0 },
      }
      const property = fc.asyncProperty(cookieHistories, (history) =>
        playCookieHistory(history, byDefault, shown),
      )
      await fc.assert(property, RUNS)
      t.diagnostic(JSON.stringify(shown))
      for (const [what, count] of Object.entries(shown))
        if (what !== 'provisional' || byDefault === 'allow')
          assert.ok(count > RUNS.numRuns / 4, `${what}: ${count}`)
    })
})
