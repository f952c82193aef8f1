import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rounds } from '../support/rounds.ts'
import { createSharedGates, type SharedGates } from '../support/shared-gates.ts'

const ROUNDS = rounds(40, 200)
const OPENINGS = 16

/** 16 viewers of a new user open at the same moment, half of them at each of two gates. */
async function openAll(gates: SharedGates, user: string, max: number): Promise<string[]> {
  for (const gate of gates.all) gate.grants({ userId: user, maxSessions: `${max}` })
  const answers = Array.from({ length: OPENINGS }, (_, n) => {
    const gate = gates.all[n % gates.all.length]
    return gate?.viewer(`box-${n}`, `192.0.2.${1 + (n % 5)}`).open('news', `good-${user}-${n}`) ?? ''
  })
  return await Promise.all(answers)
}

describe(`limits exact across gates: ${OPENINGS} openings of one user at once, at two gates, ${ROUNDS} rounds`, () => {
  for (const max of [1, 2, 3]) {
    test(`newest: exactly ${max} play on, and each displaced one is named once`, async () => {
      const gates = createSharedGates({ seed: max })
      for (let round = 0; round < ROUNDS; round++) {
        const user = `u${round}`
        const told = gates.all.map(({ notes }) => notes.displaced.length)
        const answers = await openAll(gates, user, max)
        assert.ok(answers.every((answer) => answer === 'allow backend-200'))
        await gates.pass(50)
        const live = gates.sessions(user).map(({ id }) => id)
        assert.equal(live.length, max)
        const counted = gates.user(user).entries.map(({ id }) => id)
        assert.deepEqual(counted.toSorted(), live.toSorted())
        const gone = gates.all.flatMap(({ notes }, n) => notes.displaced.slice(told[n]).map(({ id }) => id))
        assert.equal(gone.length, OPENINGS - max)
        assert.equal(new Set(gone).size, OPENINGS - max)
      }
      for (const gate of gates.all) assert.equal(gate.alone(), 0)
    })

    test(`refuse: exactly ${max} are let in, and nobody is displaced`, async () => {
      const gates = createSharedGates({ seed: max, limit: { sessionLimit: 'refuse' } })
      for (let round = 0; round < ROUNDS; round++) {
        const user = `u${round}`
        const answers = await openAll(gates, user, max)
        assert.equal(answers.filter((answer) => answer === 'allow backend-200').length, max)
        assert.equal(answers.filter((answer) => answer === 'deny session-limit').length, OPENINGS - max)
        await gates.pass(50)
        assert.equal(gates.sessions(user).length, max)
      }
      for (const { notes } of gates.all) assert.deepEqual(notes.displaced, [])
    })
  }
})

test('refuse with two places: who plays at one gate keeps their place when others open at another gate', async () => {
  const gates = createSharedGates({
    limit: { sessionLimit: 'refuse' },
    grant: { userId: '42', maxSessions: '2' },
  })
  const [one, other] = gates.all
  assert.ok(one !== undefined && other !== undefined)
  const tv = one.viewer('tv', '192.0.2.1')
  assert.equal(await tv.open('news'), 'allow backend-200')
  for (let second = 0; second < 50; second += 2) {
    await gates.pass(2_000)
    await tv.segment('news')
  }
  assert.equal(await other.viewer('phone', '192.0.2.2').open('film'), 'allow backend-200')
  assert.equal(await other.viewer('tablet', '192.0.2.3').open('film'), 'deny session-limit')
  assert.equal(await tv.segment('news'), 'allow riding')
})
