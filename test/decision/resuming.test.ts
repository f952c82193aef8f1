import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from '../../src/verdict.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
  settled,
  unavailable,
} from '../support/pretend-gate.ts'
import { facts, held, opener, rider } from '../support/pretend-viewer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** As the preset of Ministra: never re-checked, and the backend says ten hours. */
const ministra: PretendGateOptions = { store: true, lifetimes: { allow: 'session' } }

/** A gate with a session that was opened at time 0, and has been silent since; dead tokens from then on. */
async function silent(
  options: PretendGateOptions = ministra,
  outcome: Outcome = allow('36000'),
): Promise<{ gate: PretendGate; id: string }> {
  const gate = createPretendGate(options)
  gate.answers(() => outcome)
  const { sessionId: id } = await gate.decide(opener)
  gate.answers(() => deny())
  await wait(gate, 2 * MINUTE + 1)
  assert.equal(gate.sessions.count(), 0)
  return { gate, id }
}

async function wait(gate: PretendGate, milliseconds: number): Promise<void> {
  gate.pass(milliseconds)
  await settled()
  // What the timers have begun is written.
  gate.pass(100)
  await settled()
}

const refused: Outcome = { kind: 'refused', backend: 'pretend', reason: 'question-refused' }

describe('a silent session', () => {
  for (const how of ['no restart', 'restart', 'crash'] as const) {
    test(`goes on with its own URL as long as the backend said, without a question; ${how}`, async () => {
      const { gate, id } = await silent()
      if (how !== 'no restart') await gate[how]()
      gate.pass(10 * HOUR - 3 * MINUTE)
      assert.equal((await gate.rehearse(opener)).decision.reason, 'resumed')
      const decision = await gate.decide(opener)
      assert.equal(facts(decision), 'allow session resumed')
      assert.equal(decision.sessionId, id)
      assert.equal(gate.asked.length, 1)
      assert.deepEqual(gate.events, [`opened ${id} 1`, `ended ${id} 1 idle`, `opened ${id} 2`])
      const [session] = gate.sessions.all()
      assert.deepEqual([session?.requests, session?.lastSeen], [1, session?.openedAt])
      assert.equal(facts(await gate.decide(rider)), 'allow session riding')
    })
  }

  test('does not go on after that time', async () => {
    const { gate } = await silent()
    gate.pass(10 * HOUR)
    assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403')
  })

  test('goes on without a credential for 15 minutes only: a neighbour could ask for that, too', async () => {
    for (const [minutes, verdict] of [
      [14, 'allow session resumed'],
      [16, 'deny backend backend-403'],
    ] as const) {
      const { gate } = await silent()
      gate.pass((minutes - 2) * MINUTE)
      assert.equal(facts(await gate.decide(rider)), verdict)
    }
  })

  test('goes on with its own credential on what it covers for the whole time, with no other one', async () => {
    const { gate } = await silent()
    gate.pass(9 * HOUR)
    assert.equal(
      facts(await gate.decide(clientRequest('/live/ch1/seg1.ts?token=Y'))),
      'deny backend backend-403',
    )
    assert.equal(
      facts(await gate.decide(clientRequest('/live/ch1/seg1.ts?token=X'))),
      'allow session resumed',
    )
  })

  test('does not go on for another viewer, another place, or another playlist with its credential', async () => {
    const { gate } = await silent()
    for (const other of [
      { ...opener, address: '192.0.2.2' },
      { ...opener, userAgent: 'another' },
      clientRequest('/live/ch2/index.m3u8?token=X'),
      clientRequest('/live/ch2/seg1.ts'),
      clientRequest('/live/ch1/hd/index.m3u8?token=X'),
    ])
      assert.equal(facts(await gate.decide(other)), 'deny backend backend-403')
  })

  test('counts each part: it may go on again and again, until 24 h after the last allow', async () => {
    const { gate, id } = await silent()
    for (let part = 2; part < 5; part++) {
      await wait(gate, 7 * HOUR)
      assert.equal(facts(await gate.decide(opener)), 'allow session resumed', `part ${part}`)
      assert.equal(gate.events.at(-1), `opened ${id} ${part}`)
      await wait(gate, 2 * MINUTE + 1)
    }
    await wait(gate, 3 * HOUR)
    assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403')
  })

  test('goes on for 15 minutes where the backend says no time, and not at all with SESSION_RESUME=off', async () => {
    const within = await silent(ministra, allow())
    within.gate.pass(12 * MINUTE)
    assert.equal(facts(await within.gate.decide(opener)), 'allow session resumed')
    const after = await silent(ministra, allow())
    after.gate.pass(14 * MINUTE)
    assert.equal(facts(await after.gate.decide(opener)), 'deny backend backend-403')
    const off = await silent({ ...ministra, lifetimes: { allow: 'session', resume: 0 } })
    assert.equal(facts(await off.gate.decide(opener)), 'deny backend backend-403')
    assert.deepEqual(off.gate.place.ids(), [])
  })

  test('of an earlier process whose end nobody has told ends before it goes on', async () => {
    const gate = createPretendGate(ministra)
    gate.answers(() => allow('36000'))
    const { sessionId: id } = await gate.decide(opener)
    await wait(gate, 1)
    await gate.crash()
    gate.pass(HOUR)
    assert.equal(facts(await gate.decide(opener)), 'allow session resumed')
    assert.deepEqual(gate.events, [`opened ${id} 1`, `ended ${id} 1 idle`, `opened ${id} 2`])
  })

  test('wakes nothing while a session that plays covers the request', async () => {
    const { gate, id } = await silent()
    gate.answers(() => allow())
    const other = await gate.decide(clientRequest('/live/ch1/index.m3u8?token=other'))
    const decision = await gate.decide(rider)
    assert.equal(facts(decision), 'allow session riding')
    assert.equal(decision.sessionId, other.sessionId)
    assert.notEqual(decision.sessionId, id)
  })

  test('goes on once for requests that come together', async () => {
    const { gate, id } = await silent()
    await gate.restart()
    const decisions = await Promise.all([opener, rider, clientRequest('/live/ch1/seg2.ts')].map(gate.decide))
    assert.ok(decisions.every(({ sessionId }) => sessionId === id))
    assert.equal(gate.events.filter((event) => event === `opened ${id} 2`).length, 1)
  })
})

describe('a silent session that is due', () => {
  const due: PretendGateOptions = { store: true, lifetimes: { stale: 10 * MINUTE, resume: HOUR } }

  test('is asked about first, with the request that opened it; an allow lets it go on', async () => {
    const { gate, id } = await silent(due, allow())
    gate.answers(() => allow())
    const decision = await gate.decide(rider)
    assert.equal(facts(decision), 'allow session resumed')
    const [, question] = gate.asked
    assert.equal(gate.asked.length, 2)
    assert.equal(question?.sessionId, id)
    assert.equal(question?.subrequest.query, opener.query)
    assert.deepEqual([question?.occasion, question?.knownViewer !== undefined], ['resume', true])
    assert.deepEqual(
      gate.made.slice(1).map(({ occasion }) => occasion),
      ['re-check', 'return'],
    )
    // The allow counts as any other, also for 24 h from now.
    gate.answers(() => deny())
    assert.equal(facts(await gate.decide(rider)), 'allow session riding')
    assert.equal(gate.asked.length, 2)
  })

  test('ends when the backend denies it, also for the next process', async () => {
    const { gate } = await silent(due, allow())
    assert.equal(facts(await gate.decide(opener)), 'deny backend backend-403')
    assert.equal(gate.asked.length, 2)
    assert.deepEqual(gate.place.ids(), [])
    await gate.crash()
    gate.answers(unavailable)
    assert.equal(facts(await gate.decide(opener)), 'deny default unavailable-timeout')
  })

  test('that is denied says nothing of a request that it only covers: that is asked about itself', async () => {
    const { gate } = await silent(due, allow())
    gate.answers(({ query }) => (query === '' ? allow() : deny()))
    assert.equal(facts(await gate.decide(rider)), 'allow backend backend-200')
    assert.deepEqual(
      gate.asked.slice(1).map(({ subrequest }) => subrequest.query),
      [opener.query, ''],
    )
  })

  test('goes on in an outage as long as its allow counts, and not longer', async () => {
    const first = await silent(due, allow())
    first.gate.answers(unavailable)
    assert.equal(facts(await first.gate.decide(rider)), 'allow stale unavailable-timeout')
    const second = await silent(due, allow())
    second.gate.pass(10 * MINUTE)
    second.gate.answers(unavailable)
    assert.equal(facts(await second.gate.decide(rider)), 'deny default unavailable-timeout')
    assert.equal(second.gate.asked.length, 2, 'one question, not two')
    second.gate.answers(() => allow())
    second.gate.pass(2_001)
    assert.equal(facts(await second.gate.decide(rider)), 'allow session resumed')
  })

  test('stays silent when the question is refused', async () => {
    const { gate } = await silent(due, allow())
    gate.answers(() => refused)
    assert.equal(facts(await gate.decide(rider)), 'deny gate question-refused')
    assert.equal(gate.asked.length, 2)
    gate.answers(() => allow())
    gate.pass(2_001)
    assert.equal(facts(await gate.decide(rider)), 'allow session resumed')
  })

  test('is asked about once for requests that come together', async () => {
    const { gate } = await silent(due, allow())
    const answer = held(gate)
    const decisions = [opener, rider, clientRequest('/live/ch1/seg2.ts')].map(gate.decide)
    await settled()
    await answer(allow())
    assert.ok((await Promise.all(decisions)).every(({ verdict }) => verdict === 'allow'))
    assert.equal(gate.asked.length, 2)
  })

  test('does not go on when it was closed while the backend was asked', async () => {
    const { gate, id } = await silent(due, allow())
    const answer = held(gate)
    const decision = gate.decide(rider)
    await settled()
    assert.equal((await gate.stored.mark({ id })).written, true)
    gate.answers(() => deny())
    await answer(allow())
    assert.equal(facts(await decision), 'deny backend backend-403')
    assert.equal(gate.sessions.count(), 0)
  })

  test('costs no second question when the first took half a second: nginx waits for 3 s', async () => {
    const { gate } = await silent(due, allow())
    const answer = held(gate)
    const decision = gate.decide(rider)
    await settled()
    gate.pass(1_900)
    await answer(deny())
    assert.equal(facts(await decision), 'deny backend backend-403')
    assert.equal(gate.asked.length, 2)
    gate.answers(() => allow())
    assert.equal(facts(await gate.decide(rider)), 'allow backend backend-200', 'it was not remembered')
  })

  test('of a neighbour is denied: the own one behind it goes on', async () => {
    const { gate } = await silent(due, { kind: 'allow', backend: 'pretend', grant: { userId: 'anna' } })
    gate.answers(() => ({ kind: 'allow', backend: 'pretend', grant: { userId: 'bert' } }))
    await gate.decide(clientRequest('/live/ch1/index.m3u8?token=bert'))
    await wait(gate, 2 * MINUTE + 1)
    gate.answers(({ query }) => (query === opener.query ? allow() : deny()))
    assert.equal(facts(await gate.decide(rider)), 'allow session resumed')
  })
})
