import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Decision, Verdict } from '../../src/verdict.ts'
import { createChance } from '../support/create-chance.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'
import { rounds } from '../support/rounds.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
/** Every viewer asks for something this often. */
const STEP = 500
/** As shipped, with jitter; the question comes with the first request after it. */
const SHORTEST_ALLOW_TTL = 54 * SECOND
const SHORTEST_DEFAULT_TTL = 1.8 * SECOND
const LONGEST_DEFAULT_TTL = 2.2 * SECOND + STEP

/** How long the backend is away while viewers play. */
const AWAY = rounds(10, 30) * MINUTE

const verdicts: readonly Verdict[] = ['allow', 'deny']

interface Person {
  readonly address: string
  readonly token: string
}
const person = (n: number, token: string): Person => ({ address: `192.0.2.${n}`, token })
const playing = Array.from({ length: 20 }, (_, n) => person(n + 1, 'X'))

const facts = ({ verdict, source, reason }: Decision): string => `${verdict} ${source} ${reason}`

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

/** Every viewer asks for a segment and must get it, by the session of the start. */
async function allPlay(gate: PretendGate, sessions: readonly string[]): Promise<void> {
  for (const [n, viewer] of playing.entries()) {
    const { verdict, sessionId } = await ask(gate, viewer, '1.ts')
    assert.deepEqual([verdict, sessionId], ['allow', sessions[n]], `viewer ${n} at ${gate.now()} ms`)
  }
}

async function allStart(gate: PretendGate): Promise<string[]> {
  const sessions: string[] = []
  for (const viewer of playing) sessions.push((await ask(gate, viewer, 'index.m3u8')).sessionId)
  return sessions
}

for (const defaultAction of verdicts) {
  describe(`a backend that is away for minutes, DEFAULT_ACTION=${defaultAction}`, () => {
    const start = (): PretendGate => createPretendGate({ defaultAction, random: createChance(1) })

    test(`playing viewers notice nothing in ${AWAY / MINUTE} minutes, and each asks once in its ALLOW_TTL`, async () => {
      const gate = start()
      const sessions = await allStart(gate)
      await during(gate, 2 * MINUTE, () => allPlay(gate, sessions))
      gate.answers(unavailable)
      const before = gate.asked.length
      await during(gate, AWAY, () => allPlay(gate, sessions))
      const perSession = new Map<string, number>()
      for (const { sessionId } of gate.asked.slice(before))
        perSession.set(sessionId, (perSession.get(sessionId) ?? 0) + 1)
      assert.deepEqual([...perSession.keys()].sort(), sessions.toSorted())
      const most = Math.ceil(AWAY / SHORTEST_ALLOW_TTL)
      for (const count of perSession.values()) assert.ok(count <= most, `${count} questions, not ${most}`)

      gate.answers(tokens('X'))
      await during(gate, 2 * MINUTE, () => allPlay(gate, sessions))
    })

    test('a new viewer gets the default action, and asks once in a DEFAULT_TTL', async () => {
      const gate = start()
      gate.answers(unavailable)
      const newcomer = person(99, 'X')
      await during(gate, MINUTE, async () => {
        const decision = await ask(gate, newcomer, 'index.m3u8')
        assert.equal(facts(decision), `${defaultAction} default unavailable-timeout`)
      })
      const count = gate.asked.length
      assert.ok(count >= Math.floor(MINUTE / LONGEST_DEFAULT_TTL), `only ${count} questions`)
      assert.ok(count <= Math.ceil(MINUTE / SHORTEST_DEFAULT_TTL), `${count} questions`)
    })

    test('a refused viewer stays refused for a minute, however often it tries', async () => {
      const gate = start()
      const refused = person(99, 'bad')
      assert.equal(facts(await ask(gate, refused, 'index.m3u8')), 'deny backend backend-403')
      gate.answers(unavailable)
      await during(gate, MINUTE, async () => {
        const { verdict, source } = await ask(gate, refused, 'index.m3u8')
        assert.equal(verdict, 'deny')
        assert.ok(source === 'session' || source === 'stale', source)
      })
    })

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

    test('real verdicts are back within 5 s: for who was playing, and lost the right meanwhile', async () => {
      const gate = start()
      const sessions = await allStart(gate)
      gate.answers(unavailable)
      await during(gate, 5 * MINUTE, () => allPlay(gate, sessions))
      gate.answers(({ address }) => (address === '192.0.2.1' ? deny() : allow()))
      // One viewer's question is the first that is answered. Until then nobody can know.
      await ask(gate, person(99, 'X'), 'index.m3u8')
      await during(gate, 5 * SECOND, async () => {
        for (const viewer of playing) await ask(gate, viewer, '1.ts')
      })
      for (const viewer of playing) {
        const expected = viewer.address === '192.0.2.1' ? 'deny' : 'allow'
        assert.equal((await ask(gate, viewer, '1.ts')).verdict, expected, viewer.address)
      }
    })
  })
}
