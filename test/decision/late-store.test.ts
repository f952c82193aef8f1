import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Decision } from '../../src/verdict.ts'
import {
  allow,
  clientRequest,
  deny,
  type PretendGate,
  settled,
  unavailable,
} from '../support/pretend-gate.ts'
import { facts, held, opened, opener, play, rider } from '../support/pretend-viewer.ts'

const withStore = { store: true }
const newcomer = clientRequest('/live/ch1/index.m3u8?token=Y', { address: '192.0.2.99' })

/** A gate that has just been started again, while a viewer plays with a dead token; its store holds back. */
async function restarted(): Promise<{ gate: PretendGate; release: () => Promise<void> }> {
  const { gate } = await opened(withStore)
  await play(gate, 10_000)
  gate.answers(() => deny())
  await gate.restart()
  return { gate, release: gate.place.hold() }
}

/** What is decided, once it is. */
function watched(decision: Promise<Decision>): { readonly facts: string | undefined } {
  const seen: { facts: string | undefined } = { facts: undefined }
  void decision.then((decided) => {
    seen.facts = facts(decided)
  })
  return seen
}

async function wait(gate: PretendGate, milliseconds: number): Promise<void> {
  gate.pass(milliseconds)
  await settled()
}

describe('while the store is late', () => {
  test('a hit waits for nothing', async () => {
    const { gate } = await opened(withStore)
    gate.place.hold()
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow session riding')
  })

  test('a new viewer is asked about after STATE_TIMEOUT, and an allow counts', async () => {
    const { gate } = await restarted()
    gate.answers(() => allow())
    const decision = watched(gate.decide(newcomer))
    await settled()
    await wait(gate, 99)
    assert.equal(gate.asked.length, 1)
    await wait(gate, 1)
    assert.equal(decision.facts, 'allow backend backend-200')
  })

  test('a deny is given, but not remembered, and nginx may not repeat it', async () => {
    const { gate } = await restarted()
    for (let tries = 1; tries <= 2; tries++) {
      const decision = gate.decide(newcomer)
      await settled()
      await wait(gate, 100)
      await wait(gate, 900)
      assert.equal(facts(await decision), 'deny backend backend-403')
      assert.equal((await decision).cacheable, false)
      assert.equal(gate.asked.length, 1 + tries)
    }
  })

  test('a deny by default is not remembered either', async () => {
    const { gate, release } = await restarted()
    gate.answers(unavailable)
    const decision = gate.decide(opener)
    await settled()
    await wait(gate, 100)
    await wait(gate, 900)
    assert.equal(facts(await decision), 'deny default unavailable-timeout')
    await release()
    assert.equal(facts(await gate.decide(opener)), 'allow session adopted')
  })

  test('who was denied stays denied in an outage that follows, whatever the default action', async () => {
    const { gate } = await opened({ ...withStore, defaultAction: 'allow' })
    gate.answers(() => deny())
    gate.place.hold()
    const decision = gate.decide(newcomer)
    await settled()
    await wait(gate, 100)
    await wait(gate, 900)
    assert.equal(facts(await decision), 'deny backend backend-403')
    gate.answers(unavailable)
    const later = gate.decide(newcomer)
    await settled()
    await wait(gate, 100)
    await wait(gate, 900)
    assert.equal(facts(await later), 'deny stale unavailable-timeout')
  })

  test('a request that would be denied waits for up to a second, beside its question', async () => {
    for (const [asked, answersAfter, expected] of [
      [rider, 900, 'allow session adopted'],
      [opener, 900, 'allow session adopted'],
      [rider, 1_000, 'deny backend backend-403'],
      [opener, 1_000, 'deny backend backend-403'],
    ] as const) {
      const { gate, release } = await restarted()
      const decision = watched(gate.decide(asked))
      await settled()
      await wait(gate, 100)
      assert.equal(gate.asked.length, 2)
      await wait(gate, answersAfter - 100)
      await release()
      await settled()
      assert.equal(decision.facts, expected)
    }
  })

  test('it does not wait longer for the store than its question took, when that took a second', async () => {
    const { gate } = await restarted()
    const answer = held(gate)
    const decision = watched(gate.decide(rider))
    await settled()
    await wait(gate, 100)
    await wait(gate, 1_900)
    await answer(deny())
    await wait(gate, 0)
    assert.equal(decision.facts, 'deny backend backend-403')
  })
})

describe('when the store fails', () => {
  test('a miss is asked about at once, and a deny is not remembered', async () => {
    const { gate, release } = await restarted()
    gate.place.fails('failed')
    const decision = gate.decide(rider)
    await release()
    assert.equal(facts(await decision), 'deny backend backend-403')
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.equal(facts(await gate.decide(rider)), 'allow session adopted')
  })

  test('nobody waits for it from then on, and all who play go on', async () => {
    const { gate } = await opened(withStore)
    await play(gate, 10_000)
    gate.place.fails('failed')
    await gate.decide(newcomer)
    gate.place.hold()
    const asked = gate.asked.length
    const decision = watched(gate.decide({ ...newcomer, address: '192.0.2.98' }))
    await settled()
    assert.equal(gate.asked.length, asked + 1)
    assert.equal(decision.facts, 'deny backend backend-403')
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow session riding')
  })

  test('a session that a re-check denies ends nevertheless', async () => {
    const { gate } = await opened(withStore)
    await wait(gate, 70_000)
    gate.place.fails('full')
    gate.answers(() => deny())
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(gate.sessions.count(), 0)
    gate.place.fails(undefined)
    await wait(gate, 1_000)
    assert.deepEqual(gate.place.ids(), [], 'and is removed later')
  })
})
