import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStore } from '../../src/admin/describe-store.ts'
import type { StoreState } from '../../src/state/store-link.ts'

const toIso = (monotonic: number): string => `T${monotonic}`
const described = (state: StoreState): object | null => describeStore({ state: () => state }, toIso)

test('each server of a store that gates share is described, where there are several', () => {
  const first = { name: 'valkey-1:6379', usable: true, since: 5 }
  const message = 'nothing listens at valkey-2:6379; start it'
  const second = { name: 'valkey-2:6379', usable: false, since: 7, trouble: 'refused', message } as const
  assert.deepEqual(described({ usable: true, since: 3, nodes: [first, second] }), {
    usable: true,
    since: 'T3',
    nodes: [
      { name: 'valkey-1:6379', usable: true, since: 'T5' },
      { name: 'valkey-2:6379', usable: false, since: 'T7', why: 'refused', message },
    ],
  })
  assert.deepEqual(described({ usable: true, since: 3, nodes: [first] }), { usable: true, since: 'T3' })
  assert.deepEqual(described({ usable: false, since: 3, trouble: 'refused', message, nodes: [second] }), {
    ...{ usable: false, since: 'T3', why: 'refused', message },
  })
})
