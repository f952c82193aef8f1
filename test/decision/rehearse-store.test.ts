import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StoredSession } from '../../src/decision/stored.ts'
import { clientRequest, createPretendGate, deny, type PretendGate, settled } from '../support/pretend-gate.ts'
import { createPretendStore, type PretendStore, storedSession } from '../support/pretend-store.ts'

const playlist = '/live/news/index.m3u8?token=X'
const segment = clientRequest('/live/news/1.ts')

function start(): { gate: PretendGate; stored: PretendStore } {
  const stored = createPretendStore()
  return { stored, gate: createPretendGate({ stored, lifetimes: { resume: 3_600_000 } }) }
}

function snapshot({ session, ...rest }: StoredSession): object {
  return { ...rest, session: { ...session } }
}

/** Rehearses and decides; both must say the same, and the rehearsal must leave no trace. */
async function compare(gate: PretendGate, stored: PretendStore, request = segment) {
  const before = [...stored.playing, ...stored.silent].map(snapshot)
  const rehearsal = await gate.rehearse(request)
  assert.deepEqual([...stored.playing, ...stored.silent].map(snapshot), before)
  assert.deepEqual([stored.taken, stored.ended, gate.made, [...gate.sessions.all()]], [[], [], [], []])
  const decision = await gate.decide(request)
  await settled()
  const { verdict, source, reason } = decision
  assert.deepEqual(
    [verdict, source, reason],
    [rehearsal.decision.verdict, rehearsal.decision.source, rehearsal.decision.reason],
  )
  return { rehearsal, decision }
}

describe('a rehearsal with a store', () => {
  test('asks about a silent session that is due, and ends nothing', async () => {
    const { gate, stored } = start()
    gate.pass(600_000)
    stored.silent.push(storedSession('one', playlist, { lastSeen: 60_000, dueAt: 120_000 }))
    gate.answers(deny)
    const { decision } = await compare(gate, stored)
    assert.equal(decision.verdict, 'deny')
    assert.deepEqual(stored.ended, ['one'])
  })

  test('keeps no session that a request takes at the same moment', async () => {
    const { gate, stored } = start()
    stored.playing.push(storedSession('one', playlist))
    const [rehearsal, decision] = await Promise.all([gate.rehearse(segment), gate.decide(segment)])
    assert.deepEqual([rehearsal.decision.reason, decision.reason], ['adopted', 'adopted'])
    assert.equal(gate.sessions.count(), 1)
    assert.equal(gate.decideAtOnce(segment).reason, 'riding')
    gate.pass(125_000)
    gate.sessions.sweep(gate.now(), 10)
    assert.equal(gate.sessions.count(), 0)
  })

  test('tells what the store holds of the viewer', async () => {
    const { gate, stored } = start()
    gate.pass(600_000)
    stored.silent.push(storedSession('one', '/live/other/index.m3u8?token=X', { lastSeen: 60_000 }))
    const { rehearsal } = await compare(gate, stored)
    assert.deepEqual(
      rehearsal.recalled?.silent.map(({ session }) => session.id),
      ['one'],
    )
    assert.equal((await createPretendGate().rehearse(segment)).recalled, undefined)
  })
})
