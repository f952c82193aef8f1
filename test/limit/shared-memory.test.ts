import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSharedGates } from '../support/shared-gates.ts'

const SECOND = 1_000
const USERS = 50

describe('a gate with a shared store forgets the users', () => {
  const openAll = async (gates: ReturnType<typeof createSharedGates>) => {
    for (let n = 0; n < USERS; n++)
      for (const gate of gates.all) {
        gate.grants({ userId: `u${n}`, maxSessions: '1' })
        await gate
          .viewer(`box-${gates.all.indexOf(gate)}`, '192.0.2.7')
          .open('news', `good-${n}-${gate.now()}`)
      }
  }
  const counts = (gates: ReturnType<typeof createSharedGates>) => gates.all.map(({ limit }) => limit?.count())
  test('whose sessions other gates have displaced, as soon as it hears of it', async () => {
    const gates = createSharedGates()
    await openAll(gates)
    await gates.pass(50)
    assert.deepEqual(counts(gates), [0, USERS])
  })

  for (const [whose, isAlone, isBack, seconds] of [
    ['whose sessions have ended', false, true, 61],
    ['who were changed alone, one report after the store is back', true, true, 61],
    ['who were changed alone, though the store stays away', true, false, 400],
  ] as const)
    test(whose, async () => {
      const gates = createSharedGates({ step: SECOND })
      for (const { connection } of gates.all) connection.reaches(!isAlone)
      await openAll(gates)
      for (const gate of gates.all) for (const one of [...gate.sessions.all()]) gate.sessions.end(one, 'idle')
      if (isAlone) assert.deepEqual(counts(gates), [USERS, USERS])
      for (const { connection } of gates.all) connection.reaches(isBack)
      await gates.quiet()
      await gates.pass(seconds * SECOND)
      assert.deepEqual(counts(gates), [0, 0])
    })

  test('of whom only displaced viewers asked, while the store was away', async () => {
    const gates = createSharedGates()
    const [one, other] = gates.all
    await one?.viewer('tv').open('news')
    await other?.viewer('phone').open('film')
    await gates.pass(61 * SECOND)
    assert.equal(one?.limit?.count(), 0)
    one?.connection.reaches(false)
    assert.equal(await one?.viewer('tv').segment('news'), 'deny backend-403')
    await gates.quiet()
    assert.equal(one?.limit?.count(), 0)
  })
})
