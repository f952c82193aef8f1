import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLimitedGate } from '../support/limited-gate.ts'
import { clientRequest, createPretendGate, settled, unavailable } from '../support/pretend-gate.ts'

const SECOND = 1_000
const OUT = 'deny session-limit'

/** How somebody with a valid token might play more often than their number. */
describe('nobody gets round the number', () => {
  test('an older session of the channel, which others kept alive, counts when it plays', async () => {
    const gate = createLimitedGate()
    const television = gate.viewer('tv')
    await television.open('news', 'good-1')
    await television.open('news', 'good-2')
    // The second session answers; the first one is silent for longer than SESSION_IDLE, but kept alive.
    for (let n = 0; n < 15; n++) {
      gate.pass(10 * SECOND)
      assert.equal(await television.segment('news'), 'allow riding')
    }
    const phone = gate.viewer('phone')
    assert.equal(await phone.open('film'), 'allow backend-200')
    for (let n = 0; n < 30; n++) {
      assert.equal(await television.segment('news'), OUT, `${n}`)
      gate.pass(10 * SECOND)
      assert.equal(await phone.segment('film'), 'allow riding')
    }
  })

  test('a session that the rules have forgotten counts when it plays again', async () => {
    const gate = createLimitedGate({ grant: { userId: '42', maxSessions: '2' } })
    const television = gate.viewer('tv')
    const other = gate.viewer('other')
    await television.open('news')
    gate.pass(SECOND)
    for (let n = 0; n < 600; n++) await other.open('sports', `good-${n}`)
    gate.pass(SECOND)
    assert.equal(await television.segment('news'), 'allow riding')
    const phone = gate.viewer('phone')
    gate.pass(SECOND)
    await phone.open('film')
    gate.pass(SECOND)
    const answers = [
      await television.segment('news'),
      await other.segment('sports'),
      await phone.segment('film'),
    ]
    assert.equal(answers.filter((answer) => answer === OUT).length, 1, answers.join())
  })

  for (const again of ['GET', 'HEAD, then GET'] as const)
    test(`a HEAD is no play, but the ${again} that rides on it is`, async () => {
      const gate = createLimitedGate()
      const television = gate.viewer('tv')
      const phone = gate.viewer('phone')
      await television.open('news')
      assert.equal(await phone.head('/live/film/index.m3u8?token=good-phone'), 'allow backend-200')
      gate.pass(20 * SECOND)
      assert.equal(await television.segment('news'), 'allow riding')
      if (again !== 'GET') {
        const decision = await gate.decide(
          clientRequest('/live/film/index.m3u8?token=good-phone', { userAgent: 'phone', isHead: true }),
        )
        // nginx would repeat it for the GET, and the gate would never see that.
        assert.deepEqual([decision.verdict, decision.cacheable], ['allow', false])
      }
      assert.equal(await phone.open('film'), 'allow remembered')
      assert.equal(await television.segment('news'), OUT)
    })

  test('a GET beside a HEAD does not take the answer of the HEAD: it counts', async () => {
    const gate = createLimitedGate()
    const [television, phone] = [gate.viewer('tv'), gate.viewer('phone')]
    await television.open('news')
    const film = '/vod/film.ts?token=good-phone'
    assert.deepEqual(await Promise.all([phone.head(film), phone.get(film)]), [
      'allow backend-200',
      'allow backend-200',
    ])
    assert.equal(await television.segment('news'), OUT)
  })

  test('with refuse, who opens by HEAD stays out, also for what rides, and the backend is not asked', async () => {
    const gate = createLimitedGate({ limit: { sessionLimit: 'refuse' } })
    const television = gate.viewer('tv')
    const phone = gate.viewer('phone')
    await television.open('news')
    await phone.head('/live/film/index.m3u8?token=good-phone')
    assert.equal(await phone.open('film'), OUT)
    const asked = gate.asked.length
    assert.equal(await phone.segment('film'), OUT)
    assert.equal(gate.asked.length, asked)
    assert.equal(await television.segment('news'), 'allow riding')
  })
})

describe('without a backend', () => {
  test('what the default action lets in counts for nobody; once it is allowed, the newest plays', async () => {
    const gate = createPretendGate({ limit: {}, defaultAction: 'allow' })
    gate.answers(() => unavailable())
    const ask = async (userAgent: string, target: string): Promise<string> => {
      const { verdict, reason } = await gate.decide(clientRequest(target, { userAgent }))
      await settled()
      return `${verdict} ${reason}`
    }
    for (const player of ['tv', 'phone']) {
      assert.equal(
        await ask(player, `/live/${player}/index.m3u8?token=${player}`),
        'allow unavailable-timeout',
      )
      gate.pass(SECOND)
    }
    gate.answers(() => ({ kind: 'allow', backend: 'pretend', grant: { userId: '42', maxSessions: '1' } }))
    for (let n = 0; n < 5; n++) {
      gate.pass(2 * SECOND)
      for (const player of ['tv', 'phone']) await ask(player, `/live/${player}/1.ts`)
    }
    assert.equal(await ask('phone', '/live/phone/1.ts'), 'allow riding')
    assert.equal(await ask('tv', '/live/tv/1.ts'), OUT)
  })
})

describe('report', () => {
  test('refuses nobody, ever, and tells each session once', async () => {
    const gate = createLimitedGate({ limit: { sessionLimit: 'report' } })
    const viewers = Array.from({ length: 5 }, (_, n) => gate.viewer(`tv-${n}`))
    for (const viewer of viewers) assert.equal(await viewer.open('news'), 'allow backend-200')
    for (let n = 0; n < 100; n++) {
      gate.pass(5 * SECOND)
      for (const viewer of viewers) assert.equal(await viewer.segment('news'), 'allow riding')
    }
    assert.equal(gate.notes.displaced.length, 4)
  })
})

describe('a name that everybody has', () => {
  // Measured: 1.3, 0.5 and 6 times as much.
  for (const [sessionLimit, most] of [
    ['newest', 4],
    ['refuse', 4],
    ['report', 12],
  ] as const)
    test(`${sessionLimit}: 1,000 viewers under one name cost at most ${most} times as much as under a name each`, async (t) => {
      const costOf = async (userOf: (n: number) => string): Promise<number> => {
        const gate = createLimitedGate({ limit: { sessionLimit } })
        // Of the processor: others may be busy on this machine.
        const began = process.cpuUsage()
        for (let n = 0; n < 1_000; n++) {
          gate.grants({ userId: userOf(n), maxSessions: '1' })
          await gate.viewer(`tv-${n}`, `192.0.${n >> 8}.${n & 255}`).open('news')
          gate.pass(10)
        }
        const { user, system } = process.cpuUsage(began)
        return (user + system) / 1_000
      }
      const apart = await costOf((n) => `user-${n}`)
      const together = await costOf(() => 'user')
      t.diagnostic(`${together / apart} times as much`)
      assert.ok(together < most * apart, `${together} ms under one name, ${apart} ms under 1,000`)
    })
})
