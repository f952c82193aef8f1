import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createClientOf, usualPrefixes } from '../../src/address.ts'
import { type Breaker, type BreakerState, createBreaker } from '../../src/backend/breaker.ts'
import { type Outcome, refusedReasons, unavailableReasons } from '../../src/verdict.ts'
import { askGate, type GateAnswer, type GateQuestion } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { drip } from '../support/faults.ts'
import { guard, questionAbout } from '../support/guard.ts'
import { patientTest } from '../support/patient-test.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { startWatchedGate } from '../support/readiness.ts'
import { rounds } from '../support/rounds.ts'
import { until } from '../support/until.ts'

interface Pretend {
  readonly breaker: Breaker
  pass(milliseconds: number): void
  /** So many failures, spread over so many clients in turn. */
  fail(failures: number, clients: number): void
  kind(): BreakerState['kind']
}

/** A breaker with a pretend clock. @param chance what `random` gives */
const clientOf = createClientOf(usualPrefixes)

function createPretend(chance = 0.5): Pretend {
  let now = 1_000
  const breaker = createBreaker({ clock: () => now, random: () => chance })
  return {
    breaker,
    pass: (milliseconds) => {
      now += milliseconds
    },
    fail: (failures, clients) => {
      for (let n = 0; n < failures; n++) breaker.failed(`192.0.2.${n % clients}`)
    },
    kind: () => breaker.state().kind,
  }
}

function createOpen(chance = 0.5): Pretend {
  const pretend = createPretend(chance)
  pretend.fail(10, 3)
  assert.equal(pretend.kind(), 'open')
  return pretend
}

describe('a breaker opens', () => {
  const rows: readonly [failures: number, answers: number, clients: number, opens: boolean][] = [
    [10, 0, 3, true],
    [10, 10, 3, true],
    [11, 10, 3, true],
    [9, 0, 9, false],
    [10, 11, 10, false],
    [10, 0, 2, false],
    [10_000, 0, 2, false],
    [10_000, 0, 1, false],
  ]
  for (const [failures, answers, clients, opens] of rows) {
    const word = opens ? 'at' : 'not at'
    test(`${word} ${failures} failures of ${clients} clients beside ${answers} answers`, () => {
      const { breaker, fail, kind } = createPretend()
      for (let n = 0; n < answers; n++) breaker.succeeded()
      fail(failures, clients)
      assert.equal(kind(), opens ? 'open' : 'closed')
      assert.equal(breaker.admits('198.51.100.1'), !opens)
    })
  }

  test('not at ten failures that took longer than ten seconds', () => {
    const { pass, fail, kind } = createPretend()
    fail(5, 3)
    pass(10_000)
    fail(5, 3)
    assert.equal(kind(), 'closed')
    pass(1)
    fail(4, 3)
    assert.equal(kind(), 'closed')
    fail(1, 3)
    assert.equal(kind(), 'open')
  })

  test('at ten failures spread evenly over nine seconds', () => {
    const { breaker, pass, kind } = createPretend()
    for (let n = 0; n < 10; n++) {
      breaker.failed(`192.0.2.${n % 3}`)
      pass(899)
    }
    assert.equal(kind(), 'open')
  })

  test('not at 10,000 failures of one client beside those that four others met', () => {
    const { breaker, fail, kind } = createPretend()
    fail(10_000, 1)
    for (const other of [1, 2, 3, 4]) breaker.failed(`198.51.100.${other}`)
    assert.equal(kind(), 'closed')
    breaker.failed('198.51.100.5')
    assert.equal(kind(), 'open', 'five failures of others count as much as all of that one client')
  })

  test('not at 10,000 failures of one client beside fewer answers that others got', () => {
    const { breaker, fail, kind } = createPretend()
    for (let n = 0; n < 20; n++) breaker.succeeded()
    fail(10_000, 1)
    for (let other = 1; other < 15; other++) breaker.failed(`198.51.100.${other}`)
    assert.equal(kind(), 'closed')
    breaker.failed('198.51.100.15')
    assert.equal(kind(), 'open')
  })

  test('not for an answer of long ago: only the last ten seconds are weighed', () => {
    const { breaker, pass, fail, kind } = createPretend()
    for (let n = 0; n < 1_000; n++) breaker.succeeded()
    fail(9, 3)
    pass(10_000)
    fail(10, 3)
    assert.equal(kind(), 'open')
  })
})

describe('an open breaker', () => {
  test('lets one question through every two seconds, and no other', () => {
    const { breaker, pass, kind } = createOpen()
    let probes = 0
    for (let passed = 0; passed < 20_000; passed += 10) {
      pass(10)
      if (breaker.admits(`198.51.100.${probes}`)) {
        probes++
        assert.equal(kind(), 'half-open')
        assert.equal(breaker.admits('192.0.2.9'), false, 'a second one at the same moment')
        breaker.failed('192.0.2.1')
        assert.equal(kind(), 'open')
      }
    }
    assert.equal(probes, 10)
  })

  for (const [chance, due] of [
    [0, 1_800],
    [1, 2_200],
  ] as const) {
    test(`probes after ${due} ms when chance says ${chance}`, () => {
      const { breaker, pass } = createOpen(chance)
      for (let probe = 0; probe < 3; probe++) {
        pass(due - 1)
        assert.equal(breaker.admits(`198.51.100.${probe}`), false)
        pass(1)
        assert.equal(breaker.admits(`198.51.100.${probe}`), true)
        breaker.failed('192.0.2.1')
      }
    })
  }

  test('probes again when a probe never came back', () => {
    const { breaker, pass } = createOpen()
    pass(2_000)
    assert.equal(breaker.admits('198.51.100.1'), true)
    pass(2_000)
    assert.equal(breaker.admits('198.51.100.2'), true)
  })

  test('does not give every probe to clients who ask all the time, and whose questions fail', () => {
    const { breaker, pass, kind } = createOpen()
    const hogs = ['198.51.100.1', '2001:db8:0:1']
    const probes: string[] = []
    // The last client asks once in half a second, and its questions do not fail.
    for (let step = 0; step < 1_000 && kind() !== 'closed'; step++) {
      pass(10)
      for (const client of step % 50 === 0 ? [...hogs, '203.0.113.9'] : hogs) {
        if (!breaker.admits(client)) continue
        probes.push(client)
        if (client === '203.0.113.9') breaker.succeeded()
        else breaker.failed(client)
      }
    }
    const [first = '', second = ''] = hogs
    assert.deepEqual(probes, [first, first, second, first, '203.0.113.9'])
  })

  test('gives a client who is alone a probe in each two seconds', () => {
    const { breaker, pass } = createOpen()
    let probes = 0
    for (let passed = 0; passed < 20_000; passed += 10) {
      pass(10)
      if (!breaker.admits('198.51.100.1')) continue
      probes++
      breaker.failed('198.51.100.1')
    }
    assert.equal(probes, 10)
  })

  test('lets at most two probes go in each two seconds, however many ask', () => {
    const { breaker, pass } = createOpen()
    let probes = 0
    for (let passed = 0; passed < 20_000; passed += 10) {
      pass(10)
      for (let client = 0; client < 1_000; client += 37) {
        if (!breaker.admits(client === 0 ? '192.0.2.1' : `198.51.100.${(passed + client) % 250}`)) continue
        probes++
        breaker.failed('192.0.2.1')
      }
    }
    // The very first client had no failures before.
    assert.equal(probes, 19)
  })

  test('remembers who probed no longer than it is open', () => {
    const { breaker, pass, fail, kind } = createOpen()
    pass(2_000)
    breaker.admits('198.51.100.1')
    breaker.succeeded()
    fail(10, 3)
    assert.equal(kind(), 'open')
    pass(2_000)
    assert.equal(breaker.admits('198.51.100.1'), true)
  })

  test('closes on the first answer, forgets the failures, and says how long it was open meanwhile', () => {
    const { breaker, pass, fail, kind } = createOpen()
    const before = breaker.state()
    pass(2_000)
    breaker.admits('192.0.2.1')
    breaker.failed('192.0.2.1')
    const after = breaker.state()
    assert.ok(before.kind === 'open' && after.kind === 'open' && after.since === before.since)
    breaker.succeeded()
    assert.equal(kind(), 'closed')
    for (let n = 0; n < 100; n++) assert.equal(breaker.admits('192.0.2.1'), true)
    fail(9, 9)
    assert.equal(kind(), 'closed')
  })
})

describe('what a breaker is told', () => {
  const told = async (outcome: Outcome, isUnconfirmed = false): Promise<string[]> => {
    const words: string[] = []
    const breaker: Breaker = {
      admits: () => true,
      wouldAdmit: () => true,
      succeeded: () => void words.push('alive'),
      failed: (group) => void words.push(`failed ${group}`),
      state: () => ({ kind: 'closed' }),
    }
    const ask = guard({ ask: () => outcome, isUnconfirmed, breaker, clock: () => 0 })
    await ask(questionAbout(clientRequest('/a', { address: '2001:db8::1' })), 100)
    return words
  }

  for (const code of [201, 204, 301, 401, 404, 429, 500, 502, 503, 999]) {
    test(`a ${code} is life`, async () => {
      assert.deepEqual(await told({ kind: 'deny', backend: 'b', status: code }), ['alive'])
    })
  }

  test('a 200 is life', async () => {
    assert.deepEqual(await told({ kind: 'allow', backend: 'b', grant: {} }), ['alive'])
  })

  for (const reason of unavailableReasons.filter((one) => one !== 'breaker' && one !== 'overload')) {
    const expected = { status: ['alive'], internal: [] }[reason as string] ?? ['failed 2001:db8:0:0::/64']
    test(`unavailable-${reason}: ${expected[0] ?? 'nothing'}`, async () => {
      assert.deepEqual(await told({ kind: 'unavailable', backend: 'b', reason }), expected)
    })
  }

  for (const reason of refusedReasons) {
    test(`${reason}: nothing`, async () => {
      assert.deepEqual(await told({ kind: 'refused', backend: 'b', reason }), [])
    })
  }

  test('a failure that the question may have provoked is one of its whole network', async () => {
    const outcome: Outcome = { kind: 'unavailable', backend: 'b', reason: 'timeout' }
    assert.deepEqual(await told(outcome, true), ['failed 2001:db8:0::/48'])
  })

  test('addresses of one IPv6 /64 are one client', () => {
    const { breaker, kind } = createPretend()
    for (let n = 0; n < 1_000; n++) breaker.failed(clientOf(`2001:db8::${n.toString(16)}`))
    assert.equal(kind(), 'closed')
  })
})

/** What one viewer may send: slow, huge and malformed requests, each with another name. */
const waves: readonly [what: string, question: (n: number) => GateQuestion][] = [
  [
    'slow ones with different User-Agents',
    (n) => ({ uri: `/live/${n}.m3u8?token=slow`, userAgent: `player ${n}` }),
  ],
  [
    'slow ones with different playback ids',
    (n) => ({ uri: '/live/a.m3u8?token=slow', playbackId: `id-${n}` }),
  ],
  [
    'slow ones from different addresses of a /64',
    (n) => ({ uri: '/live/a.m3u8?token=slow', address: `2001:db8::${n}` }),
  ],
  ['huge ones', (n) => ({ uri: `/live/${n}.m3u8?token=${'x'.repeat(9_000)}` })],
  ['malformed ones', (n) => ({ uri: `/live/${n}.m3u8?token=a b`, origin: 'nonsense' })],
]

/** Questions of one address at once: none waits in the line, where a slow machine would let it time out. */
const AT_ONCE = 16
const REQUESTS = AT_ONCE * rounds(5, 30)

// Most of it is waiting.
describe('one viewer cannot open the breaker', { concurrency: true }, () => {
  for (const [what, question] of waves) {
    patientTest(`${REQUESTS} requests: ${what}`, async (t) => {
      const backend = await startBackend(t)
      backend.answer = (asked, response) => {
        if (!asked.target.includes('slow')) response.end()
      }
      const gate = await startWatchedGate(t, {
        BACKEND_URL: backend.url,
        BACKEND_TIMEOUT: '1s',
        DEFAULT_ACTION: 'allow',
      })
      const answers: GateAnswer[] = []
      for (let n = 0; n < REQUESTS; n += AT_ONCE) {
        const wave = Array.from({ length: AT_ONCE }, (_, at) => askGate(gate.port, question(n + at)))
        answers.push(...(await Promise.all(wave)))
      }
      assert.ok(answers.every(({ status: code }) => code === 200 || code === 403))
      const reasons = new Set(answers.map(({ reason }) => reason))
      for (const reason of ['unavailable-breaker', 'unavailable-overload'])
        assert.ok(!reasons.has(reason), Array.from(reasons).join())
      assert.equal((await gate.backend()).breaker, 'closed')
      const other = await askGate(gate.port, { uri: '/live/a.m3u8?token=good', address: '198.51.100.1' })
      assert.equal(other.reason, 'backend-200')
    })
  }

  patientTest('nor with questions that a backend answers drip by drip', async (t) => {
    const backend = await startRawBackend(t, (socket: Socket) => drip(socket, 'H'))
    const gate = await startWatchedGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '100ms' })
    for (let n = 0; n < 4; n++) {
      await Promise.all(
        Array.from({ length: 16 }, (_, at) => askGate(gate.port, { userAgent: `${n} ${at}` })),
      )
    }
    assert.equal((await gate.backend()).breaker, 'closed')
  })
})

patientTest(
  'many viewers of a dead backend open it, nobody waits then, and the first answer closes it',
  async (t) => {
    const backend = await startBackend(t)
    backend.answer = () => {}
    const gate = await startWatchedGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '1s' })
    let viewer = 0
    const ask = (): Promise<GateAnswer> => askGate(gate.port, { address: `192.0.2.${viewer++ % 250}` })
    await Promise.all(Array.from({ length: 12 }, ask))
    assert.equal((await gate.backend()).breaker, 'open')
    const during = await Promise.all(Array.from({ length: 20 }, ask))
    assert.ok(during.every(({ reason }) => reason === 'unavailable-breaker'))
    assert.ok(during.every(({ took }) => took < 800))

    backend.answer = status(200)
    const began = performance.now()
    await until('a real verdict', async () => (await ask()).reason === 'backend-200')
    assert.ok(performance.now() - began < 3_000)
    assert.equal((await gate.backend()).breaker, 'closed')
  },
)
