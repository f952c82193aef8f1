import { describe, test } from 'node:test'
import { drawReplies } from './odd-replies.ts'

describe('whatever Valkey answers to any command is a result or a StoreError, in time', () => {
  const kinds = [
    ['one server', { kind: 'single' }, 300],
    ['a cluster', { kind: 'cluster' }, 150],
    ['Sentinels', { kind: 'sentinel', name: 'main' }, 50],
  ] as const
  for (const [name, mode, count] of kinds)
    test(`${name}, ${count} draws`, async (t) => {
      await drawReplies(t, { count, atOnce: 25, mode, seed: count })
    })
})
