import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clientRequest, deny, settled, unavailable } from '../support/pretend-gate.ts'
import { facts, opened, play, rider } from '../support/pretend-viewer.ts'

const withStore = { store: true, idle: 120_000 }
describe('a session that plays when the process ends', () => {
  for (const how of ['restart', 'crash'] as const) {
    test(`goes on after a ${how}: same id, start, requests and terms, no question, no event`, async () => {
      const { gate, id } = await opened(withStore)
      await play(gate, 50_000)
      gate.pass(100)
      const [before] = gate.sessions.all()
      const start = gate.now() - 50_100
      const events = [...gate.events]
      gate.answers(() => deny())
      await gate[how]()
      const decision = await gate.decide(rider)
      assert.equal(facts(decision), 'allow session adopted')
      assert.equal(decision.sessionId, id)
      const [session] = gate.sessions.all()
      const told = before?.requests ?? 0
      // After a crash the last requests may not have been told yet.
      if (how === 'restart') assert.equal(session?.requests, told + 1)
      else assert.ok(session !== undefined && session.requests >= 1)
      assert.equal(session?.openedAt, start - gate.now())
      assert.equal(session?.dueAt, 60_000 + start - gate.now())
      assert.equal(gate.asked.length, 1)
      assert.deepEqual(gate.events, [...events, `adopted ${id} 1`])
      assert.equal(facts(await gate.decide(rider)), 'allow session riding')
      assert.deepEqual(gate.made.at(-1)?.occasion, 'return')
    })
  }

  test('is re-checked when it is due, in the background', async () => {
    const { gate } = await opened(withStore)
    await play(gate, 50_000)
    await gate.restart()
    gate.pass(20_000)
    assert.equal(facts(await gate.decide(rider)), 'allow session adopted')
    await settled()
    assert.deepEqual(
      gate.asked.map(({ occasion }) => occasion),
      ['question', 're-check'],
    )
  })

  test('is worth in an outage what it was worth before: STALE_TTL counts on', async () => {
    const { gate } = await opened({ ...withStore, lifetimes: { stale: 300_000 } })
    gate.answers(unavailable)
    await play(gate, 70_000)
    const minutes = async (count: number): Promise<string> => {
      let last = ''
      for (let minute = 0; minute < count; minute++) {
        gate.pass(60_000)
        last = facts(await gate.decide(rider))
        await settled()
      }
      return last
    }
    assert.equal(await minutes(2), 'allow stale unavailable-timeout')
    await gate.restart()
    assert.equal(await minutes(2), 'allow stale unavailable-timeout')
    await gate.crash()
    assert.equal(await minutes(2), 'deny default unavailable-timeout')
  })

  test('is unknown under another configuration, and known again under its own', async () => {
    const { gate, id } = await opened(withStore)
    gate.pass(100)
    gate.answers(() => deny())
    await gate.restart('another')
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    await gate.restart()
    const decision = await gate.decide(rider)
    assert.equal(facts(decision), 'allow session adopted')
    assert.equal(decision.sessionId, id)
  })

  test('does not come back once a re-check has denied it, not even when the process dies at once', async () => {
    const { gate } = await opened(withStore)
    gate.pass(70_000)
    gate.answers(() => deny())
    assert.equal(facts(await gate.decide(rider)), 'allow session riding')
    await settled()
    assert.equal(gate.sessions.count(), 0)
    await gate.crash()
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    assert.deepEqual(gate.place.ids(), [])
  })

  test('is still there while its deny is written, and not longer than STATE_TIMEOUT', async () => {
    const { gate } = await opened(withStore)
    gate.pass(70_000)
    await settled()
    gate.answers(() => deny())
    const release = gate.place.hold()
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(gate.sessions.count(), 1)
    gate.pass(100)
    await settled()
    assert.equal(gate.sessions.count(), 0)
    await release()
    assert.deepEqual(gate.place.ids(), [])
  })
})

describe('a viewer whose sessions come back', () => {
  test('gets all of them with one look, and each of two requests at once is answered', async () => {
    const gate = (await opened(withStore)).gate
    await gate.decide(clientRequest('/live/ch2/index.m3u8?token=X'))
    gate.pass(100)
    gate.answers(() => deny())
    await gate.restart()
    const looks = gate.place.calls.length
    const decisions = await Promise.all([
      gate.decide(rider),
      gate.decide(clientRequest('/live/ch2/seg1.ts')),
      gate.decide(clientRequest('/live/ch1/seg2.ts')),
    ])
    assert.deepEqual(
      decisions.map(({ verdict }) => verdict),
      ['allow', 'allow', 'allow'],
    )
    assert.equal(gate.place.calls.slice(looks).filter((call) => call.startsWith('recall')).length, 1)
    assert.equal(gate.events.filter((event) => event.startsWith('adopted')).length, 2)
    assert.equal(gate.asked.length, 2)
  })

  test('keeps them in the order of their use', async () => {
    const { gate } = await opened(withStore)
    gate.pass(1_000)
    const newer = await gate.decide(clientRequest('/live/ch1/index.m3u8?token=X&other'))
    gate.pass(1_000)
    await gate.restart()
    assert.equal((await gate.decide(rider)).sessionId, newer.sessionId)
  })

  test('is another one at another address, with another player, or on another site', async () => {
    const { gate } = await opened(withStore)
    gate.pass(100)
    gate.answers(() => deny())
    await gate.restart()
    for (const other of [
      { address: '192.0.2.2' },
      { userAgent: 'another' },
      { origin: 'https://other.example' },
      { playbackId: 'another' },
    ])
      assert.equal(facts(await gate.decide({ ...rider, ...other })), 'deny backend backend-403')
    assert.equal(gate.sessions.count(), 0)
  })

  test('is found after SESSION_RESUME=off, too, as long as they play', async () => {
    const { gate } = await opened({ ...withStore, lifetimes: { resume: 0 } })
    gate.pass(100_000)
    gate.answers(() => deny())
    await gate.restart()
    assert.equal(facts(await gate.decide(rider)), 'allow session adopted')
    gate.pass(121_000)
    await settled()
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
    assert.deepEqual(gate.place.ids(), [])
  })

  test('who is let in by the default action leaves nothing in the store', async () => {
    const { gate } = await opened({ ...withStore, defaultAction: 'allow' })
    gate.answers(unavailable)
    await gate.decide(clientRequest('/live/ch2/index.m3u8?token=Y'))
    gate.pass(100)
    await settled()
    assert.equal(gate.place.ids().length, 1)
    gate.answers(() => deny())
    gate.pass(5_000)
    await gate.decide(clientRequest('/live/ch2/1.ts'))
    await settled()
    assert.equal(gate.provisional.count(), 0)
    assert.ok(!gate.place.calls.some((call) => call.startsWith('remove')))
  })
})
