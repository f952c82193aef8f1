import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allow, deny, type PretendGate, tokens } from '../support/pretend-gate.ts'
import { facts, held, opened, opener, rider } from '../support/pretend-viewer.ts'

const MINUTE = 60_000

describe('an answer that comes when the session is gone', () => {
  const ends = {
    closed(gate: PretendGate) {
      const session = gate.sessions.find(gate.identify(opener), gate.now())
      assert.ok(session)
      gate.sessions.end(session, 'closed')
    },
    'silent too long': (gate: PretendGate) => gate.pass(120_001),
  }
  for (const [how, end] of Object.entries(ends)) {
    test(`brings back none that was ${how}`, async () => {
      const { gate } = await opened()
      const answer = held(gate)
      gate.pass(MINUTE)
      gate.decideAtOnce(rider)
      end(gate)
      gate.sessions.sweep(gate.now())
      await answer(allow())
      assert.equal(gate.sessions.count(), 0)
      gate.answers(tokens('X'))
      assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    })

    test(`is a deny for none that was opened anew, after one that was ${how}`, async () => {
      const { gate, id } = await opened()
      const answer = held(gate)
      gate.pass(MINUTE)
      gate.decideAtOnce(rider)
      end(gate)
      gate.answers(tokens('X'))
      const next = await gate.decide(opener)
      assert.equal(facts(next), 'allow backend backend-200')
      assert.notEqual(next.sessionId, id)
      await answer(deny())
      assert.equal(facts(gate.decideAtOnce(opener)), 'allow session remembered')
      assert.equal(gate.decideAtOnce(rider).sessionId, next.sessionId)
    })
  }
})
