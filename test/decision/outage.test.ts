import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Decision, Verdict } from '../../src/verdict.ts'
import { createChance } from '../support/create-chance.ts'
import {
  clientRequest,
  createPretendGate,
  type PretendGate,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Every viewer asks for something this often. */
const STEP = 500
const SHORTEST_DEFAULT_TTL = 1.8 * SECOND

const verdicts: readonly Verdict[] = ['allow', 'deny']

interface Person {
  readonly address: string
  readonly token: string
}
const person = (n: number, token: string): Person => ({ address: `192.0.2.${n}`, token })

async function ask(gate: PretendGate, { address, token }: Person, file: string): Promise<Decision> {
  const query = file.endsWith('.m3u8') ? `?token=${token}` : ''
  const decision = await gate.decide(clientRequest(`/live/one/${file}${query}`, { address }))
  await settled()
  return decision
}

/** Lets time pass in steps; in each, `act` is done. */
async function during(gate: PretendGate, duration: number, act: () => Promise<void>): Promise<void> {
  for (let passed = 0; passed < duration; passed += STEP) {
    gate.pass(STEP)
    await act()
  }
}

for (const defaultAction of verdicts) {
  describe(`a backend that is away for minutes, DEFAULT_ACTION=${defaultAction}`, () => {
    const start = (): PretendGate => createPretendGate({ defaultAction, random: createChance(1) })

    test('a refused viewer that tries on and on asks a dead backend once in a DEFAULT_TTL', async () => {
      const gate = start()
      const refused = person(99, 'bad')
      await ask(gate, refused, 'index.m3u8')
      gate.answers(unavailable)
      await during(gate, MINUTE, async () => void (await ask(gate, refused, 'index.m3u8')))
      const count = gate.asked.length - 1
      assert.ok(count <= Math.ceil(MINUTE / SHORTEST_DEFAULT_TTL), `${count} questions in a minute`)
    })

    test('a viewer whom a re-check refused stays refused when the backend goes away right after it', async () => {
      const gate = start()
      const viewer = person(1, 'X')
      await ask(gate, viewer, 'index.m3u8')
      gate.answers(tokens())
      await during(gate, 70 * SECOND, async () => void (await ask(gate, viewer, 'index.m3u8')))
      gate.answers(unavailable)
      await during(gate, MINUTE, async () =>
        assert.equal((await ask(gate, viewer, 'index.m3u8')).verdict, 'deny'),
      )
    })

    test('real verdicts are back within 5 s: for who was let in or refused by default', async () => {
      const gate = start()
      const [good, bad] = [person(98, 'X'), person(99, 'bad')]
      gate.answers(unavailable)
      await during(gate, 5 * MINUTE, async () => {
        for (const viewer of [good, bad])
          assert.equal((await ask(gate, viewer, 'index.m3u8')).verdict, defaultAction)
      })
      gate.answers(tokens('X'))
      await during(gate, 5 * SECOND, async () => {
        for (const viewer of [good, bad]) await ask(gate, viewer, 'index.m3u8')
      })
      assert.equal((await ask(gate, good, 'index.m3u8')).source, 'session')
      assert.equal((await ask(gate, good, '1.ts')).verdict, 'allow')
      assert.equal((await ask(gate, bad, 'index.m3u8')).verdict, 'deny')
      assert.notEqual((await ask(gate, bad, 'index.m3u8')).source, 'default')
      assert.equal((await ask(gate, bad, '1.ts')).verdict, 'deny')
    })
  })
}
