import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'
import { createTemporaryLinks, ministraOutcome } from '../support/ministra-portal.ts'
import { allow, clientRequest, deny, tokens, unavailable } from '../support/pretend-gate.ts'
import { createPretendMachine, type PretendProcessOptions } from '../support/pretend-machine.ts'
import { until } from '../support/until.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const playlist = clientRequest('/live/one/index.m3u8?token=X')
const segment = clientRequest('/live/one/1.ts')

/** Lifetimes and the rest as these settings say. */
function under(environment: Readonly<Record<string, string>>): PretendProcessOptions {
  const result = readSettings({ BACKEND_URL: 'http://portal.example.com', ...environment })
  assert.ok(result.ok)
  const { lifetimes, sessionIdle: idle, defaultAction } = result.settings
  return { lifetimes, idle, defaultAction }
}

const ministra = under({ MIDDLEWARE: 'ministra' })

describe('after a pause, with links of Ministra that have died', () => {
  /** A viewer who has just begun to play. */
  const begin = async (t: Parameters<typeof createPretendMachine>[0], options = ministra) => {
    const machine = createPretendMachine(t)
    const gate = await machine.start(options)
    const links = createTemporaryLinks(gate.now)
    gate.answers(({ query }) => ministraOutcome(links, query))
    const own = clientRequest(`/live/one/index.m3u8?token=${links.issue('42')}`)
    const { sessionId } = await gate.decide(own)
    assert.equal((await gate.decide(segment)).reason, 'riding')
    await gate.written()
    return { machine, gate, own, sessionId }
  }

  for (const [what, minutes] of [
    ['10 minutes', 10],
    ['just below 15 minutes', 14.9],
  ] as const)
    test(`of ${what} a request without a credential goes on with the session`, async (t) => {
      const { gate, own, sessionId } = await begin(t)
      await gate.pass(minutes * MINUTE)
      const again = await gate.decide(segment)
      assert.deepEqual([again.verdict, again.reason, again.sessionId], ['allow', 'resumed', sessionId])
      assert.equal((await gate.decide(own)).reason, 'remembered')
      assert.equal(gate.asked.length, 1)
    })

  test('of more than 15 minutes it is asked about, but the own URL goes on for ten hours', async (t) => {
    const { gate, own, sessionId } = await begin(t)
    await gate.pass(15.1 * MINUTE)
    assert.deepEqual(pick(await gate.decide(segment)), ['deny', 'backend-403'])
    await gate.pass(9 * HOUR)
    const again = await gate.decide(own)
    assert.deepEqual([...pick(again), again.sessionId], ['allow', 'resumed', sessionId])
    assert.equal((await gate.decide(segment)).reason, 'riding')
    assert.equal(gate.asked.length, 2)
  })

  test('of more than ten hours even the own URL is asked about', async (t) => {
    const { gate, own } = await begin(t)
    await gate.pass(10 * HOUR + MINUTE)
    assert.deepEqual(pick(await gate.decide(own)), ['deny', 'backend-403'])
  })

  test('24 hours after the last allow nothing is resumed, however often it was', async (t) => {
    const { gate, own } = await begin(t)
    // The first X-AuthDuration ends in the second pause: the preset never re-checks.
    for (let pause = 0; pause < 2; pause++) {
      await gate.pass(9 * HOUR)
      assert.deepEqual(pick(await gate.decide(own)), ['allow', 'resumed'])
      await gate.written()
    }
    await gate.pass(7 * HOUR)
    assert.deepEqual(pick(await gate.decide(own)), ['deny', 'backend-403'])
  })

  for (const end of ['stop', 'kill'] as const)
    test(`with a gate that ends in it (${end}) both go on`, async (t) => {
      for (const request of ['own', 'segment'] as const) {
        const { machine, gate, own, sessionId } = await begin(t)
        await gate.pass(5 * MINUTE)
        await gate[end]()
        machine.pass(MINUTE)
        const next = await machine.start(ministra)
        next.answers(() => deny())
        await next.pass(3 * MINUTE)
        const again = await next.decide(request === 'own' ? own : segment)
        assert.deepEqual([...pick(again), again.sessionId], ['allow', 'resumed', sessionId])
        assert.deepEqual(next.asked, [])
      }
    })

  test('with a gate that ends by SIGTERM in it, it begins at the last request, told or not', async (t) => {
    const { machine, gate } = await begin(t)
    // A session that plays is told every 30 seconds.
    await gate.pass(20 * SECOND)
    await gate.decide(segment)
    await gate.stop()
    machine.pass(15 * MINUTE - SECOND)
    const next = await machine.start(ministra)
    next.answers(() => deny())
    assert.deepEqual(pick(await next.decide(segment)), ['allow', 'resumed'])
  })

  test('nobody else is let in by it', async (t) => {
    const { gate, own } = await begin(t)
    await gate.pass(10 * MINUTE)
    for (const who of [{ address: '192.0.2.2' }, { userAgent: 'another' }])
      for (const target of [`${own.path}?${own.query}`, segment.path])
        assert.equal((await gate.decide(clientRequest(target, who))).verdict, 'deny', target)
    assert.equal((await gate.decide(clientRequest('/live/two/1.ts'))).verdict, 'deny', 'another channel')
    assert.equal((await gate.decide(clientRequest(`${own.path}?token=other`))).verdict, 'deny')
    assert.equal((await gate.decide(clientRequest('/live/one/1.ts?token=other'))).verdict, 'deny')
  })

  test('SESSION_RESUME=off: it is asked about', async (t) => {
    const { gate, own } = await begin(t, under({ MIDDLEWARE: 'ministra', SESSION_RESUME: 'off' }))
    await gate.pass(3 * MINUTE)
    for (const request of [segment, own])
      assert.deepEqual(pick(await gate.decide(request)), ['deny', 'backend-403'])
  })

  test('SESSION_RESUME=5m: the own URL goes on so long', async (t) => {
    const options = under({ MIDDLEWARE: 'ministra', SESSION_RESUME: '5m' })
    const { gate, own } = await begin(t, options)
    await gate.pass(4.9 * MINUTE)
    assert.deepEqual(pick(await gate.decide(own)), ['allow', 'resumed'])
    await gate.written()
    await gate.pass(5.1 * MINUTE)
    assert.deepEqual(pick(await gate.decide(own)), ['deny', 'backend-403'])
  })
})

describe('after a pause, where the backend says no time and the re-check is due', () => {
  const custom = under({})
  const begin = async (t: Parameters<typeof createPretendMachine>[0]) => {
    const gate = await createPretendMachine(t).start(custom)
    gate.answers(tokens('X'))
    const { sessionId } = await gate.decide(playlist)
    await gate.written()
    await gate.pass(10 * MINUTE)
    return { gate, sessionId }
  }

  test('the backend allows it: it goes on, and is due in a whole term', async (t) => {
    const { gate, sessionId } = await begin(t)
    const again = await gate.decide(segment)
    assert.deepEqual([...pick(again), again.sessionId], ['allow', 'resumed', sessionId])
    const question = gate.asked.at(-1)
    assert.deepEqual([question?.subrequest.query, question?.sessionId], ['token=X', sessionId])
    assert.equal(gate.asked.length, 2)
    await gate.pass(5 * SECOND)
    assert.equal((await gate.decide(segment)).reason, 'riding')
    assert.equal(gate.asked.length, 2)
  })

  test('the backend denies it: it is gone for good', async (t) => {
    const { gate, sessionId } = await begin(t)
    gate.answers(() => deny())
    for (const request of [segment, playlist]) assert.equal((await gate.decide(request)).verdict, 'deny')
    await gate.written()
    await gate.pass(10 * SECOND)
    assert.equal((await gate.decide(segment)).verdict, 'deny')
    gate.answers(tokens('X'))
    await gate.pass(10 * SECOND)
    assert.equal((await gate.decide(segment)).verdict, 'deny', 'not by a session that was denied')
    const again = await gate.decide(playlist)
    assert.equal(again.reason, 'backend-200')
    assert.notEqual(again.sessionId, sessionId)
  })

  test('the backend is silent: it is worth what it was', async (t) => {
    const { gate, sessionId } = await begin(t)
    gate.answers(() => unavailable())
    const again = await gate.decide(segment)
    assert.deepEqual(
      [again.verdict, again.source, again.sessionId],
      ['allow', 'stale', sessionId],
      JSON.stringify(again),
    )
    gate.answers(() => deny())
    await gate.pass(MINUTE)
    await gate.decide(segment)
    await until('the end to be written', () => gate.sessions.count() === 0)
    assert.equal((await gate.decide(segment)).verdict, 'deny', 'a deny ends it all the same')
  })

  test('after 15 minutes all are asked about as if they were new', async (t) => {
    const { gate, sessionId } = await begin(t)
    await gate.pass(5.1 * MINUTE)
    assert.equal((await gate.decide(segment)).verdict, 'deny')
    const again = await gate.decide(playlist)
    assert.equal(again.reason, 'backend-200')
    assert.notEqual(again.sessionId, sessionId)
  })

  test('a crowd that comes back at once asks once for each viewer', async (t) => {
    const { gate } = await begin(t)
    gate.answers(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return allow()
    })
    const before = gate.asked.length
    const requests = [1, 2, 3, 4].map((n) => clientRequest(`/live/one/${n}.ts`))
    const decisions = await Promise.all([playlist, ...requests].map((request) => gate.decide(request)))
    assert.deepEqual(new Set(decisions.map(({ verdict }) => verdict)), new Set(['allow']))
    assert.equal(new Set(decisions.map(({ sessionId }) => sessionId)).size, 1)
    assert.equal(gate.asked.length - before, 1)
  })
})

function pick({ verdict, reason }: { readonly verdict: string; readonly reason: string }): string[] {
  return [verdict, reason]
}
