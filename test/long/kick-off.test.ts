import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { watch } from '../support/audience.ts'
import { isFull } from '../support/full.ts'

/** The most questions in one second, as a multiple of their mean. */
const MOST = 1.5
const ROUNDS = 5

// Of independent questions, the busiest of a thousand seconds has 3.2 standard deviations more than the mean.
// The mean must be so high that this alone is well below MOST. Players with longer cycles need less time.
const crowds = [
  { term: 10, viewers: 10_000, cycle: 6, arrivals: [1, 5] },
  { term: 60, viewers: 10_000, cycle: isFull ? 6 : 12, arrivals: isFull ? [1, 5] : [1] },
  { term: 300, viewers: 20_000, cycle: isFull ? 12 : 60, arrivals: isFull ? [1, 5] : [1] },
]

describe('re-checks after a kick-off', () => {
  for (const { term, viewers, cycle, arrivals } of crowds)
    for (const within of arrivals)
      test(`of ${viewers} viewers within ${within} s, each ${term} s: even from the third round on`, async (t) => {
        const seconds = ROUNDS * term
        const watched = await watch({
          viewers,
          arriveWithin: within * 1_000,
          seconds,
          term: term * 1_000,
          cycle: cycle * 1_000,
        })
        const busiest = Array.from({ length: ROUNDS }, (_, round) =>
          Math.max(...watched.questions.slice(round * term, (round + 1) * term)),
        )
        const later = watched.questions.slice(2 * term)
        const mean = later.reduce((sum, some) => sum + some, 0) / later.length
        const most = Math.max(...later)
        t.diagnostic(`busiest second of each round: ${busiest.join(' ')}; mean ${mean.toFixed(1)}`)
        assert.equal(watched.wrong, 0)
        assert.ok(mean < (viewers / term) * 1.02, `${mean} questions a second`)
        assert.ok(most <= MOST * mean, `${most} questions in one second, ${mean} on average`)
      })
})
