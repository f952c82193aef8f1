import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Decision, Outcome } from '../src/verdict.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
  settled,
  tokens,
  unavailable,
} from './support/pretend-gate.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const opener = clientRequest('/live/ch1/index.m3u8?token=X&_HLS_msn=7')
const rider = clientRequest('/live/ch1/seg1.ts')
const newcomer = clientRequest('/live/ch1/index.m3u8?token=X', { address: '192.0.2.99' })

const facts = ({ verdict, source, reason }: Decision) => `${verdict} ${source} ${reason}`

/** A gate that the opener has just been let in by, at time 0. */
async function opened(options: PretendGateOptions = {}): Promise<{ gate: PretendGate; id: string }> {
  const gate = createPretendGate(options)
  const decision = await gate.decide(opener)
  assert.equal(facts(decision), 'allow backend backend-200')
  return { gate, id: decision.sessionId }
}

/** The viewer plays on: a segment every `step` milliseconds. Returns what the last one got. */
async function play(gate: PretendGate, duration: number, step = 10_000): Promise<Decision> {
  let last = gate.decideAtOnce(rider)
  await settled()
  for (let played = 0; played < duration; played += step) {
    gate.pass(Math.min(step, duration - played))
    last = gate.decideAtOnce(rider)
    await settled()
  }
  return last
}

/** Answers that are given when the test says so. */
function held(gate: PretendGate): (outcome: Outcome) => Promise<void> {
  const waiting: ((outcome: Outcome) => void)[] = []
  gate.answers(() => new Promise((resolve) => waiting.push(resolve)))
  return async (outcome) => {
    for (const give of waiting.splice(0)) give(outcome)
    await settled()
  }
}

describe('ALLOW_TTL', () => {
  test('before it is over nobody is asked', async () => {
    const { gate, id } = await opened()
    gate.pass(MINUTE - 1)
    for (const request of [opener, rider]) {
      const decision = gate.decideAtOnce(request)
      assert.equal(decision.source, 'session')
      assert.equal(decision.sessionId, id)
      assert.equal(decision.holdsFor, 1)
    }
    assert.equal(gate.asked.length, 1)
  })

  test('after it the viewer is answered at once, while the backend still thinks about the opener', async () => {
    const { gate, id } = await opened()
    const answer = held(gate)
    gate.pass(MINUTE)
    assert.equal(facts(gate.decideAtOnce(rider)), 'allow session riding')
    assert.equal(gate.asked.length, 2)
    assert.deepEqual(gate.asked[1], { subrequest: opener, sessionId: id })
    assert.equal(facts(gate.decideAtOnce(opener)), 'allow session remembered')
    await answer(allow())
    assert.deepEqual(
      gate.made.map(({ occasion }) => occasion),
      ['question', 're-check'],
    )
  })

  test('a re-check asks with every part of the request that opened the session, whoever rides', async () => {
    const gate = createPretendGate({ channelPattern: /^\/live\/([^/.-]+)/ })
    const who = {
      address: '2001:db8::1',
      origin: 'http://tv.example.com:8080',
      userAgent: 'AppleCoreMedia/1.0 (Apple TV; U)',
      playbackId: '7D5F-01',
    }
    const first = clientRequest('/live/ch1.m3u8?CMCD=br%3D1&token=X&_HLS_msn=7', who)
    const { sessionId } = await gate.decide(first)
    gate.pass(MINUTE)
    gate.decideAtOnce(clientRequest('/live/ch1-0001.ts?CMCD=br%3D9', who))
    assert.deepEqual(gate.asked[1], { subrequest: first, sessionId })
  })

  test('one session has one re-check at a time', async () => {
    const { gate } = await opened()
    const answer = held(gate)
    gate.pass(MINUTE)
    for (let i = 0; i < 20; i++) {
      gate.decideAtOnce(rider)
      gate.pass(100)
    }
    assert.equal(gate.asked.length, 2)
    await answer(allow())
    gate.decideAtOnce(rider)
    assert.equal(gate.asked.length, 2)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    assert.equal(gate.asked.length, 3)
  })

  test('a playing session is re-checked once in each, always with the same id', async () => {
    const { gate, id } = await opened()
    await play(gate, 10 * MINUTE)
    assert.equal(gate.asked.length, 11)
    for (const { subrequest, sessionId } of gate.asked)
      assert.deepEqual([subrequest, sessionId], [opener, id])
  })

  test('a denied re-check ends the session, and the next request is judged by itself', async () => {
    const { gate, id } = await opened()
    gate.answers(deny)
    gate.pass(MINUTE)
    assert.equal(gate.decideAtOnce(rider).verdict, 'allow')
    await settled()
    assert.equal(gate.sessions.count(), 0)
    const next = await gate.decide(rider)
    assert.equal(facts(next), 'deny backend backend-403')
    assert.notEqual(next.sessionId, id)
    assert.deepEqual(gate.asked.at(-1)?.subrequest, rider)
  })

  test('a denied re-check is remembered as a deny of the opener', async () => {
    const { gate } = await opened()
    gate.answers(deny)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(facts(gate.decideAtOnce(opener)), 'deny session remembered')
    assert.equal(gate.asked.length, 2)
  })

  test('a denied re-check ends no other session of the viewer', async () => {
    const { gate } = await opened()
    const other = clientRequest('/live/ch2/index.m3u8?token=X')
    gate.pass(MINUTE / 2)
    const { sessionId } = await gate.decide(other)
    gate.answers(deny)
    gate.pass(MINUTE / 2)
    gate.decideAtOnce(rider)
    await settled()
    assert.equal(gate.decideAtOnce(clientRequest('/live/ch2/seg1.ts')).sessionId, sessionId)
  })

  test('`session` never re-checks, whatever duration the backend sends', async () => {
    const gate = createPretendGate({ lifetimes: { allow: 'session' } })
    gate.answers(() => allow('10'))
    await gate.decide(opener)
    gate.answers(deny)
    assert.equal(facts(await play(gate, 24 * HOUR, MINUTE)), 'allow session riding')
    assert.equal(gate.asked.length, 1)
  })

  for (const [random, ttl] of [
    [0, 54_000],
    [1, 66_000],
  ] as const) {
    test(`chance at ${random} makes a minute ${ttl / 1000} s`, async () => {
      const { gate } = await opened({ random: () => random })
      gate.pass(ttl - 1)
      gate.decideAtOnce(rider)
      assert.equal(gate.asked.length, 1)
      gate.pass(2)
      gate.decideAtOnce(rider)
      assert.equal(gate.asked.length, 2)
    })
  }
})

describe('X-AuthDuration', () => {
  /** Opens with this duration; when is the first re-check? In milliseconds, found by playing on. */
  const firstRecheck = async (sent: string, step: number, limit: number, random = 0.5) => {
    const gate = createPretendGate({ random: () => random })
    gate.answers(() => allow(sent))
    await gate.decide(opener)
    const start = gate.now()
    while (gate.asked.length === 1 && gate.now() - start <= limit) {
      gate.pass(step)
      gate.decideAtOnce(rider)
    }
    return { after: gate.now() - start, reported: gate.badDurations }
  }

  for (const [sent, seconds] of [
    ['1', 1],
    ['10', 10],
    ['300', 300],
    ['36000', 36_000],
    ['86400', 86_400],
    ['86401', 86_400],
    ['604800', 86_400],
    ['999999999', 86_400],
    ['2147483647', 86_400],
    ['9999999999999', 86_400],
  ] as const) {
    test(`${sent} holds for ${seconds} s`, async () => {
      const step = Math.max(100, seconds)
      const { after, reported } = await firstRecheck(sent, step, seconds * 1000 + 2 * step)
      assert.equal(after, Math.ceil((seconds * 1000) / step) * step)
      assert.deepEqual(reported, [])
    })
  }

  for (const [random, sent, seconds] of [
    [0, '300', 270],
    [1, '300', 330],
    [0, '86400', 77_760],
    [1, '86400', 86_400],
    [1, '80000', 86_400],
    [0, '604800', 86_400],
  ] as const) {
    test(`chance at ${random} makes ${sent} s ${seconds} s`, async () => {
      const { after } = await firstRecheck(sent, seconds, seconds * 1001, random)
      assert.equal(after, seconds * 1000)
    })
  }

  for (const sent of [
    '0',
    '00',
    '-5',
    'garbage',
    '1e3',
    '10.5',
    '',
    '0x10',
    '10s',
    '10 20',
    'NaN',
    'Infinity',
  ]) {
    test(`"${sent}" is ignored and reported`, async () => {
      const { after, reported } = await firstRecheck(sent, 1000, 2 * MINUTE)
      assert.equal(after, MINUTE)
      assert.equal(reported[0], sent)
    })
  }

  test('a re-check brings a duration of its own', async () => {
    const gate = createPretendGate()
    gate.answers(() => allow('10'))
    await gate.decide(opener)
    gate.answers(() => allow('300'))
    await play(gate, 10_000)
    assert.equal(gate.asked.length, 2)
    await play(gate, 299_000)
    assert.equal(gate.asked.length, 2)
    gate.answers(() => allow())
    await play(gate, 1000)
    assert.equal(gate.asked.length, 3)
    await play(gate, MINUTE)
    assert.equal(gate.asked.length, 4)
  })
})

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
    assert.equal((await play(gate, 3 * MINUTE - 1)).source, 'stale')
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
    assert.deepEqual(gate.asked[1], { subrequest: opener, sessionId: id })
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
    }
    assert.deepEqual(gate.asked.findLast(({ sessionId }) => sessionId === id)?.subrequest, opener)
    const ended = verdicts.indexOf('deny') * 10
    assert.ok(ended >= 3 * 60 * 0.9 && ended <= 3 * 60 * 1.1 + 20, `after ${ended} s`)
    assert.ok(verdicts.slice(ended / 10).every((verdict) => verdict === 'deny'))
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
    const { gate, id } = await opened({ lifetimes: { stale: 10_000 } })
    gate.answers(unavailable)
    await play(gate, MINUTE)
    gate.pass(5000)
    gate.answers(tokens('X'))
    await gate.decide(newcomer)
    gate.pass(7000)
    const decision = await gate.decide(rider)
    assert.equal(decision.verdict, 'allow')
    assert.equal(decision.sessionId, id)
    assert.deepEqual(gate.asked.at(-1), { subrequest: opener, sessionId: id })
  })

  test('a re-check that fails in the millisecond of the recovery belongs to the outage', async () => {
    const { gate, id } = await opened({ lifetimes: { stale: 10_000 } })
    gate.answers(unavailable)
    await play(gate, MINUTE)
    gate.answers(tokens('X'))
    await gate.decide(newcomer)
    gate.pass(3000)
    const decision = await gate.decide(rider)
    assert.equal(decision.sessionId, id)
    assert.deepEqual(gate.asked.at(-1), { subrequest: opener, sessionId: id })
  })

  test('a re-check that fails once more just after the outage cuts nobody off', async () => {
    const { gate, id } = await opened({ lifetimes: { stale: 10_000 } })
    gate.answers(unavailable)
    await play(gate, MINUTE)
    gate.pass(500)
    gate.answers(tokens('X'))
    await gate.decide(newcomer)
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
    assert.deepEqual(gate.asked.slice(asked), [{ subrequest: opener, sessionId: id }])
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

describe('DENY_TTL', () => {
  const bad = clientRequest('/live/ch1/index.m3u8?token=Z')

  test('a deny is remembered until it is over, with its id', async () => {
    const gate = createPretendGate()
    const first = await gate.decide(bad)
    gate.pass(4999)
    const again = gate.decideAtOnce(bad)
    assert.equal(facts(again), 'deny session remembered')
    assert.equal(again.sessionId, first.sessionId)
    gate.pass(1)
    assert.equal(facts(await gate.decide(bad)), 'deny backend backend-403')
    assert.equal(gate.asked.length, 2)
  })

  for (const [what, other] of [
    ['another address', { ...bad, address: '192.0.2.2' }],
    ['another User-Agent', { ...bad, userAgent: 'mpv' }],
    ['another playback id', { ...bad, playbackId: '1' }],
    ['another origin', { ...bad, origin: 'http://live.example.com' }],
    ['another path', { ...bad, path: '/live/ch1/other.m3u8' }],
    ['another query', { ...bad, query: 'token=Z&a=1' }],
    ['no query', { ...bad, query: '' }],
  ] as const) {
    test(`it counts for exactly its own key, not for ${what}`, async () => {
      const gate = createPretendGate()
      await gate.decide(bad)
      await gate.decide(other)
      assert.equal(gate.asked.length, 2)
    })
  }

  for (const [random, ttl] of [
    [0, 4500],
    [1, 5500],
  ] as const) {
    test(`chance at ${random} makes five seconds ${ttl} ms`, async () => {
      const gate = createPretendGate({ random: () => random })
      await gate.decide(bad)
      gate.pass(ttl - 1)
      gate.decideAtOnce(bad)
      gate.pass(2)
      await gate.decide(bad)
      assert.equal(gate.asked.length, 2)
    })
  }

  for (const defaultAction of ['allow', 'deny'] as const) {
    test(`known denied stays denied for 60 s of an outage, then DEFAULT_ACTION=${defaultAction} counts`, async () => {
      const gate = createPretendGate({ defaultAction })
      const first = await gate.decide(bad)
      gate.answers(unavailable)
      for (let i = 0; i < 64; i++) {
        gate.pass(1000)
        const decision = await gate.decide(bad)
        assert.equal(decision.verdict, 'deny')
        assert.equal(decision.source, i < 4 ? 'session' : 'stale')
        assert.equal(decision.sessionId, first.sessionId)
      }
      gate.pass(999)
      assert.equal(facts(await gate.decide(bad)), 'deny stale unavailable-timeout')
      gate.pass(1)
      assert.equal(facts(await gate.decide(bad)), `${defaultAction} default unavailable-timeout`)
    })
  }

  test('a backend that changes its mind is believed once the deny is over', async () => {
    const gate = createPretendGate()
    await gate.decide(bad)
    gate.answers(() => allow())
    gate.pass(5000)
    assert.equal((await gate.decide(bad)).verdict, 'allow')
    assert.equal(gate.denials.count(), 0)
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
    assert.deepEqual(gate.asked[1], { subrequest: opener, sessionId: first.sessionId })
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
      assert.deepEqual(gate.asked[1], { subrequest: opener, sessionId: id })
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
    assert.deepEqual(gate.asked[2], { subrequest: opener, sessionId: id })
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

describe('SESSION_IDLE and session ids', () => {
  test('silence ends a session, and the next one has a new id', async () => {
    const { gate, id } = await opened({ lifetimes: { allow: 'session' } })
    gate.pass(119_999)
    assert.equal(gate.decideAtOnce(opener).sessionId, id)
    gate.pass(120_001)
    const next = await gate.decide(opener)
    assert.equal(next.source, 'backend')
    assert.notEqual(next.sessionId, id)
  })

  test('silence ends a provisional session', async () => {
    const gate = createPretendGate({ defaultAction: 'allow' })
    gate.answers(unavailable)
    await gate.decide(opener)
    gate.answers(tokens('X'))
    gate.pass(120_001)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('a background re-check is no sign of life', async () => {
    const { gate } = await opened()
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    const answer = held(gate)
    gate.pass(MINUTE)
    gate.decideAtOnce(rider)
    gate.pass(MINUTE)
    await answer(allow())
    gate.answers(tokens('X'))
    gate.pass(MINUTE + 1)
    assert.equal(facts(await gate.decide(rider)), 'deny backend backend-403')
  })

  test('a session that was closed is followed by one with a new id', async () => {
    const { gate, id } = await opened()
    const session = gate.sessions.find(gate.identify(opener), gate.now())
    assert.ok(session)
    gate.sessions.end(session, 'closed')
    assert.notEqual((await gate.decide(opener)).sessionId, id)
  })

  test('every session and every question has an id of 128 bits that nobody else has', async () => {
    const gate = createPretendGate()
    const ids = new Set<string>()
    for (let i = 0; i < 5000; i++) {
      const query = i % 2 === 0 ? 'token=X' : 'token=Z'
      const { sessionId } = await gate.decide({ ...opener, query, userAgent: `viewer ${i}` })
      assert.match(sessionId, /^[A-Za-z0-9_-]{22}$/)
      assert.equal(Buffer.from(sessionId, 'base64url').length, 16)
      ids.add(sessionId)
    }
    assert.equal(ids.size, 5000)
    assert.deepEqual(new Set(gate.asked.map(({ sessionId }) => sessionId)), ids)
    // Nothing in an id is told by its place: each bit is set in half of them, and turns from one to the next half of the time.
    const bits = [...ids].map((id) =>
      [...Buffer.from(id, 'base64url')].flatMap((byte) => [...byte.toString(2).padStart(8, '0')]),
    )
    for (let at = 0; at < 128; at++) {
      const set = bits.filter((one) => one[at] === '1').length
      const turned = bits.filter((one, n) => one[at] !== bits[n + 1]?.[at]).length
      for (const count of [set, turned])
        assert.ok(Math.abs(count - 2500) < 300, `bit ${at}: ${count} of 5000`)
    }
  })
})
