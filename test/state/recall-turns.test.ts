import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRecallTurns } from '../../src/state/recall-turns.ts'

test('a client has 32 recalls under way at most, and the next one begins when one ends, even by an error', async () => {
  const turns = createRecallTurns()
  const ends: ((error?: Error) => void)[] = []
  const begin = (viewer: string): Promise<unknown> =>
    turns.take(
      viewer,
      () =>
        new Promise<void>((resolve, reject) => {
          ends.push((error) => (error === undefined ? resolve() : reject(error)))
        }),
    )
  const all = Array.from({ length: 40 }, (_, n) => begin(`192.0.2.1 player${n}`).catch(() => 'failed'))
  await settled()
  assert.equal(ends.length, 32)
  void begin('192.0.2.2 player')
  await settled()
  assert.equal(ends.length, 33)
  ends[0]?.(new Error('lost'))
  ends[1]?.()
  await settled()
  assert.equal(ends.length, 35)
  assert.equal(await all[0], 'failed')
  for (let n = 2; n < ends.length; n++) ends[n]?.()
  await settled()
  for (const end of ends) end()
  await Promise.all(all)
})

function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
