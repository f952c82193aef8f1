import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGateOptions,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'
import { facts, held, newcomer, opened, opener, play, rider, topicOf } from '../support/pretend-viewer.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/**
 * The viewer has played through a minute without a backend. So many milliseconds later it answers another
 * viewer. STALE_TTL is 10 s.
 */
async function afterOutage(later: number): Promise<Awaited<ReturnType<typeof opened>>> {
  const { gate, id } = await opened({ lifetimes: { stale: 10_000 } })
  gate.answers(unavailable)
  await play(gate, MINUTE)
  gate.pass(later)
  gate.answers(tokens('X'))
  await gate.decide(newcomer)
  return { gate, id }
}

describe('STALE_TTL', () => {
  test('while the backend is unavailable, a known allow plays on and says that it is stale', async () => {
    const { gate, id } = await opened()
    gate.answers(unavailable)
    await play(gate, MINUTE)
    const decision = await play(gate, 10 * MINUTE)
    assert.equal(facts(decision), 'allow stale unavailable-timeout')
    assert.equal(decision.sessionId, id)
    assert.equal(facts(gate.decideAtOnce(opener)), 'allow stale unavailable-timeout')
  })

  test('during an outage a session is re-checked once in each ALLOW_TTL, no oftener', async () => {
    const { gate } = await opened()
    gate.answers(unavailable)
    await play(gate, 10 * MINUTE, 1000)
    assert.equal(gate.asked.length, 11)
  })

  for (const [random, interval] of [
    [0, 54_000],
    [1, 66_000],
  ] as const) {
    test(`chance at ${random} makes the minute between its re-checks ${interval / 1000} s`, async () => {
      const { gate } = await opened({ random: () => random })
      gate.answers(unavailable)
      for (const asked of [2, 3, 4]) {
        await play(gate, interval - 1)
        assert.equal(gate.asked.length, asked - 1)
        await play(gate, 1)
        assert.equal(gate.asked.length, asked)
      }
    })
  }

  for (const stale of [HOUR, 90_000, 10_000]) {
    test(`${stale / 1000} s past its time it is over, and the default action counts`, async () => {
      const { gate } = await opened({ lifetimes: { stale } })
      gate.answers(unavailable)
      const held = await play(gate, MINUTE + stale - 1, 5000)
      assert.equal(held.source, 'stale')
      gate.pass(1)
      assert.equal(facts(await gate.decide(rider)), 'deny default unavailable-timeout')
    })
  }

  test('it counts from the end of the last allow, not from the opening', async () => {
    const { gate } = await opened({ lifetimes: { stale: 2 * MINUTE } })
    await play(gate, 10 * MINUTE)
    gate.answers(unavailable)
    const [{ dueAt } = assert.fail('no session')] = [...gate.sessions.all()]
    assert.equal((await play(gate, dueAt + 2 * MINUTE - 1 - gate.now())).source, 'stale')
    gate.pass(1)
    assert.equal((await gate.decide(rider)).source, 'default')
  })

  test('a short one cuts off nobody while the backend answers', async () => {
    const { gate, id } = await opened({ lifetimes: { stale: 1000 } })
    // Segments of six seconds: the first one after ALLOW_TTL comes six seconds late.
    gate.pass(54_500)
    gate.decideAtOnce(rider)
    gate.pass(6500)
    const decision = await gate.decide(rider)
    assert.equal(decision.verdict, 'allow')
    assert.equal(decision.sessionId, id)
    assert.deepEqual(topicOf(gate.asked[1]), { subrequest: opener, sessionId: id })
  })

  test('an allow that is over leaves its riders to another session that holds', async () => {
    const { gate } = await opened({ lifetimes: { stale: 90_000 } })
    gate.answers(() => allow('36000'))
    const wide = await gate.decide(clientRequest('/live/index.m3u8?token=X'))
    gate.decideAtOnce(opener)
    gate.answers(unavailable)
    for (let played = 0; played < 5 * MINUTE; played += 10_000) {
      gate.pass(10_000)
      const decision = await gate.decide(rider)
      assert.equal(decision.verdict, 'allow', `${played} ms: ${facts(decision)}`)
      gate.decideAtOnce(clientRequest('/live/beside.ts'))
      await settled()
    }
    assert.equal(gate.decideAtOnce(rider).sessionId, wide.sessionId)
  })

  test('ends it, too, when the backend answers about everybody else', async () => {
    const { gate, id } = await opened({ lifetimes: { stale: 2 * MINUTE } })
    gate.answers((asked) => (asked.query === opener.query ? unavailable() : tokens('Y')(asked)))
    const verdicts: string[] = []
    for (let second = 0; second < 300; second += 10) {
      gate.pass(10_000)
      await gate.decide(clientRequest(`/live/other/${second}.ts?token=Y`, { address: '192.0.2.70' }))
      verdicts.push((await gate.decide(rider)).verdict)
      // The re-check has ended before another viewer is answered.
      await settled()
    }
    assert.deepEqual(gate.asked.findLast(({ sessionId }) => sessionId === id)?.subrequest, opener)
    const ended = verdicts.indexOf('deny') * 10
    assert.ok(ended >= 3 * 60 * 0.9 && ended <= 3 * 60 * 1.1 + 20, `after ${ended} s`)
    assert.ok(verdicts.slice(ended / 10).every((verdict) => verdict === 'deny'))
  })
})

describe('DEFAULT_TTL', () => {
  test('a default deny is kept until it is over, then the backend is asked again', async () => {
    const gate = createPretendGate()
    gate.answers(unavailable)
    assert.equal(facts(await gate.decide(opener)), 'deny default unavailable-timeout')
    gate.answers(tokens('X'))
    gate.pass(1999)
    assert.equal(facts(gate.decideAtOnce(opener)), 'deny default unavailable-timeout')
    assert.equal(gate.asked.length, 1)
    gate.pass(1)
    assert.equal(facts(await gate.decide(opener)), 'allow backend backend-200')
  })

  test('a default allow is kept until it is over, then the backend is asked again in the background', async () => {
    const gate = createPretendGate({ defaultAction: 'allow' })
    gate.answers(unavailable)
    const first = await gate.decide(opener)
    assert.equal(facts(first), 'allow default unavailable-timeout')
    gate.pass(1999)
    assert.equal(gate.decideAtOnce(opener).holdsFor, 1)
    assert.equal(gate.asked.length, 1)
    gate.pass(1)
    const again = gate.decideAtOnce(opener)
    assert.equal(facts(again), 'allow default unavailable-timeout')
    assert.equal(gate.asked.length, 2)
    assert.deepEqual(topicOf(gate.asked[1]), { subrequest: opener, sessionId: first.sessionId })
  })

  test('a provisional session asks once in each while the outage lasts', async () => {
    const gate = createPretendGate({ defaultAction: 'allow' })
    gate.answers(unavailable)
    await gate.decide(opener)
    await play(gate, MINUTE, 500)
    assert.equal(gate.asked.length, 31)
  })
})

describe('a provisional session', () => {
  const provisional = async (options: PretendGateOptions = {}) => {
    const gate = createPretendGate({ defaultAction: 'allow', ...options })
    gate.answers(unavailable)
    const { sessionId } = await gate.decide(opener)
    assert.equal(gate.provisional.count(), 1)
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow default unavailable-timeout')
    return { gate, id: sessionId }
  }

  for (const ttl of [MINUTE, 'session'] as const) {
    test(`becomes a full one with the same id when the re-check allows (ALLOW_TTL ${ttl})`, async () => {
      const { gate, id } = await provisional({ lifetimes: { allow: ttl } })
      gate.answers(tokens('X'))
      gate.pass(2000)
      assert.equal(gate.decideAtOnce(rider).source, 'default')
      await settled()
      assert.deepEqual(topicOf(gate.asked[1]), { subrequest: opener, sessionId: id })
      assert.deepEqual([gate.sessions.count(), gate.provisional.count()], [1, 0])
      const decision = gate.decideAtOnce(rider)
      assert.equal(facts(decision), 'allow session riding')
      assert.equal(decision.sessionId, id)
      await play(gate, 30_000, 1000)
      assert.equal(gate.asked.length, 2)
    })
  }

  test('keeps its id through an outage that is longer than STALE_TTL', async () => {
    const { gate, id } = await provisional({ lifetimes: { stale: MINUTE } })
    const last = await play(gate, 2 * HOUR, MINUTE)
    assert.equal(facts(last), 'allow default unavailable-timeout')
    assert.equal(last.sessionId, id)
    assert.equal(gate.provisional.count(), 1)
  })

  test('becomes a full one while another credential of its viewer is asked about: each has its own session', async () => {
    const { gate, id } = await provisional()
    const answer = held(gate)
    gate.pass(2000)
    gate.decideAtOnce(rider)
    const bad = gate.decide(clientRequest('/live/ch1/index.m3u8?token=Z'))
    assert.equal(gate.asked.length, 3)
    await answer(allow())
    assert.equal((await bad).verdict, 'allow')
    assert.notEqual((await bad).sessionId, id)
    assert.deepEqual([gate.sessions.count(), gate.provisional.count()], [2, 0])
    assert.equal(gate.decideAtOnce(opener).sessionId, id)
  })

  test('ends when the re-check denies', async () => {
    const { gate } = await provisional()
    gate.answers(deny)
    gate.pass(2000)
    assert.equal(gate.decideAtOnce(rider).verdict, 'allow')
    await settled()
    assert.deepEqual([gate.sessions.count(), gate.provisional.count()], [0, 0])
    assert.equal(facts(gate.decideAtOnce(opener)), 'deny session remembered')
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('is re-checked within three seconds once the backend answers somebody else', async () => {
    const { gate, id } = await provisional({ lifetimes: { default: 10 * MINUTE } })
    gate.pass(10_000)
    gate.answers(tokens('X'))
    await gate.decide(newcomer)
    gate.pass(3000)
    gate.decideAtOnce(rider)
    assert.deepEqual(topicOf(gate.asked[2]), { subrequest: opener, sessionId: id })
  })

  test('that was closed while it was re-checked stays closed', async () => {
    const { gate } = await provisional()
    const answer = held(gate)
    gate.pass(2000)
    gate.decideAtOnce(rider)
    const session = gate.provisional.find(gate.identify(opener), gate.now())
    assert.ok(session)
    gate.provisional.end(session, 'closed')
    await answer(allow())
    assert.deepEqual([gate.sessions.count(), gate.provisional.count()], [0, 0])
  })
})

describe('recovery', () => {
  test('sessions that lived through an outage are re-checked within three seconds, not all at once', async () => {
    const gate = createPretendGate()
    const viewers = Array.from({ length: 300 }, (_, i) => ({ userAgent: `viewer ${i}` }))
    const everybody = (): void => {
      for (const who of viewers) gate.decideAtOnce(clientRequest('/live/ch1/seg1.ts', who))
    }
    for (const who of viewers) await gate.decide(clientRequest('/live/ch1/index.m3u8?token=X', who))
    gate.answers(unavailable)
    gate.pass(MINUTE)
    everybody()
    await settled()
    gate.pass(10_000)

    gate.answers(tokens('X'))
    await gate.decide(newcomer)
    const before = gate.asked.length
    gate.pass(1500)
    everybody()
    await settled()
    const halfway = gate.asked.length - before
    assert.ok(halfway > 50 && halfway < 250, `${halfway} of 300 after half the time`)
    gate.pass(1500)
    everybody()
    await settled()
    assert.equal(gate.asked.length - before, 300)
    const decision = gate.decideAtOnce(clientRequest('/live/ch1/seg1.ts', viewers[0]))
    assert.equal(facts(decision), 'allow session riding')
    everybody()
    assert.equal(gate.asked.length - before, 300)
  })

  test('a session that was never touched by the outage is left in peace', async () => {
    const gate = createPretendGate()
    gate.answers(unavailable)
    await gate.decide(clientRequest('/live/ch9/index.m3u8?token=X', { address: '192.0.2.50' }))
    gate.answers(tokens('X'))
    await gate.decide(opener)
    await play(gate, 50_000)
    assert.equal(gate.asked.length, 2)
  })

  test('an allow whose STALE_TTL ran out only after the outage is re-checked, not cut off', async () => {
    const { gate, id } = await afterOutage(5000)
    gate.pass(7000)
    const decision = await gate.decide(rider)
    assert.equal(decision.verdict, 'allow')
    assert.equal(decision.sessionId, id)
    assert.deepEqual(topicOf(gate.asked.at(-1)), { subrequest: opener, sessionId: id })
  })

  test('a re-check that fails in the millisecond of the recovery belongs to the outage', async () => {
    const { gate, id } = await afterOutage(0)
    gate.pass(3000)
    const decision = await gate.decide(rider)
    assert.equal(decision.sessionId, id)
    assert.deepEqual(topicOf(gate.asked.at(-1)), { subrequest: opener, sessionId: id })
  })

  test('a re-check that fails once more just after the outage cuts nobody off', async () => {
    const { gate, id } = await afterOutage(500)
    gate.pass(3000)
    gate.answers(unavailable)
    gate.decideAtOnce(rider)
    await settled()
    gate.answers(tokens('X'))
    await gate.decide({ ...newcomer, address: '192.0.2.98' })
    gate.pass(6499)
    const asked = gate.asked.length
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow stale unavailable-timeout')
    assert.equal(gate.asked.length, asked, 'no oftener than in an outage')
    gate.pass(1)
    assert.equal(gate.decideAtOnce(rider).sessionId, id)
    assert.deepEqual(gate.asked.slice(asked).map(topicOf), [{ subrequest: opener, sessionId: id }])
    await settled()
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow session riding')
  })

  test('a revoked viewer is out after the outage', async () => {
    const { gate } = await opened()
    gate.answers(unavailable)
    await play(gate, MINUTE)
    gate.pass(1000)
    gate.answers(tokens())
    await gate.decide(newcomer)
    gate.pass(3000)
    assert.equal(gate.decideAtOnce(rider).verdict, 'allow')
    await settled()
    assert.equal((await gate.decide(rider)).verdict, 'deny')
  })
})
