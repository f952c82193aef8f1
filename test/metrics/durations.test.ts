import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDurations } from '../../src/metrics/durations.ts'

test('a bucket counts the questions that took no longer than its bound; the count and the sum have all', () => {
  const durations = createDurations()
  for (const took of [0, 5, 6, 5_000, 5_001, 60_000]) durations.note(took)
  const { buckets, count, sum } = durations.read()
  const upTo = new Map(buckets)
  assert.deepEqual(
    [0.005, 0.01, 2, 5].map((bound) => upTo.get(bound)),
    [2, 3, 3, 4],
  )
  assert.equal(count, 6)
  assert.equal(sum, 70.012)
})
