import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AWAY, opened, restart, seen } from '../support/cookie-machine.ts'
import { createPretendMachine } from '../support/pretend-machine.ts'

for (const mode of ['on', 'strict'] as const)
  describe(`a session with a cookie in the store, ${mode}`, () => {
    test('is found by it by whoever was denied without it a moment ago', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, id, value } = await opened(machine, mode)
      const next = await restart(machine, gate)
      assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY }), 'backend-403')
      assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY }), 'remembered')
      assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, value }), `adopted ${id}`)
    })

    test('is not looked for again while a deny with the same cookie counts', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, value } = await opened(machine, mode)
      for (const one of [value, 'ThisIsNoValueOfAnybody'])
        for (const reason of ['backend-403', 'remembered', 'remembered'])
          assert.equal(await seen(gate, 'two/1.ts', { mode, ...AWAY, value: one }), reason)
      assert.equal(gate.asked.length, 3)
    })

    test('is found by it while the same viewer waits for an answer without it', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, id, value } = await opened(machine, mode)
      const next = await restart(machine, gate)
      const found = await Promise.all(
        [undefined, value].map((one) => seen(next, 'one/1.ts', { mode, ...AWAY, value: one })),
      )
      assert.deepEqual(found, ['backend-403', `adopted ${id}`])
    })
  })
