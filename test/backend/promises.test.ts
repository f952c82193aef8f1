import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Came,
  createPretendBackend,
  elsewhere,
  type PretendBackend,
  type PretendBackendOptions,
  tally,
} from '../support/pretend-backend.ts'

/** Allows `good`, breaks at `evil`, is silent at `slow`, and denies the rest: at once where there is no token. */
function startHealthy(options: PretendBackendOptions = {}): PretendBackend {
  const pretend = createPretendBackend(options)
  pretend.acts((token) => {
    if (token === 'evil') return 'reset'
    if (token === 'slow') return 'silent'
    return { status: token === 'good' ? 200 : 403, took: token === '' ? 1 : 30 }
  })
  return pretend
}

const good = (n: number): readonly [string, string] => ['good', elsewhere(n)]
const isLetIn = ({ what }: Came): boolean =>
  !['allow', 'deny', 'too-many-questions', 'question-refused'].includes(what)

/** Clients who ask again as soon as they are answered. The result ends them, and says what came. */
function hammer(
  { ask, time }: PretendBackend,
  clients: number,
  one: (n: number) => readonly [string, string],
): () => Promise<Came[]> {
  let isOver = false
  const came: Came[] = []
  const all = Array.from({ length: clients }, async (_, n) => {
    while (!isOver) {
      came.push(await ask(...one(n)))
      await new Promise<void>((go) => void time.after(20, go))
    }
  })
  return async () => {
    isOver = true
    const ended = Promise.all(all)
    await time.pass(5_000)
    await ended
    return came
  }
}

describe('1. hostile networks take no place from newcomers', () => {
  for (const networks of [1, 2, 4])
    test(`${networks} with 30 slow questions each: all of 80 newcomers are served`, async () => {
      const pretend = startHealthy()
      await pretend.come(20, 10, good)
      const end = hammer(pretend, 30 * networks, (n) => ['slow', `203.0.${n % networks}.${1 + (n % 7)}`])
      await pretend.time.pass(300)
      assert.deepEqual(tally(await pretend.come(80, 50, (n) => good(2_000 + n))), { allow: 80 })
      assert.equal((await end()).filter(isLetIn).length, 0)
      assert.equal(pretend.backend.state().breaker, 'closed')
    })
})

test('2. an address alone gets three quarters of the places: 96 of 300 boxes before 600 ms, of 128 from as many addresses', async () => {
  const served = async (address: (n: number) => string): Promise<number> => {
    const pretend = createPretendBackend({ timeout: 2_000 })
    pretend.acts(() => ({ status: 200, took: 600 }))
    return tally(await pretend.come(300, 0, (n) => ['good', address(n)]))['allow'] ?? 0
  }
  assert.deepEqual([await served(() => '192.0.2.1'), await served(elsewhere)], [96, 128])
})

describe('3. whoever floods a weak backend is denied, not let in', () => {
  for (const networks of [1, 2])
    test(`60 bad tokens at a time of ${networks}, five workers: nobody is let in, and others are served after three seconds`, async () => {
      const pretend = createPretendBackend({ workers: 5, timeout: 2_000 })
      pretend.acts((token) => ({ status: token === 'good' ? 200 : 403, took: token === '' ? 1 : 250 }))
      const end = hammer(pretend, 60, (n) => ['bad', `203.0.${n % networks}.1`])
      await pretend.come(10, 300, good)
      assert.deepEqual(tally(await pretend.come(20, 300, (n) => good(100 + n))), { allow: 20 })
      assert.equal((await end()).filter(isLetIn).length, 0)
      assert.equal(pretend.backend.state().breaker, 'closed')
    })
})

describe('4. nobody makes a healthy backend look unavailable', () => {
  for (const [token, clients] of [
    ['evil', 2],
    ['slow', 40],
  ] as const)
    test(`eight networks with ${clients} ${token} questions at a time each, beside one newcomer a second`, async () => {
      const pretend = startHealthy({ timeout: 2_000 })
      await pretend.come(10, 1_000, good)
      const end = hammer(pretend, 8 * clients, (n) => [token, `203.0.${n % 8}.${1 + (n % 7)}`])
      assert.deepEqual(tally(await pretend.come(20, 1_000, (n) => good(100 + n))), { allow: 20 })
      const attacks = await end()
      assert.equal(attacks.filter(isLetIn).length, 0)
      assert.ok(attacks.length > 1_000)
      assert.equal(pretend.backend.state().breaker, 'closed')
    })
})

describe('5. an outage is seen as one', () => {
  test('by a script that still answers who brings no token: who has one is unavailable, but for the first', async () => {
    const pretend = startHealthy()
    await pretend.come(40, 10, good)
    const before = pretend.asked()
    pretend.acts((token) => (token === '' ? { status: 403, took: 1 } : 'silent'))
    const during = await pretend.come(300, 20, (n) => good(1_000 + n))
    const denied = during.filter((came) => !isLetIn(came))
    assert.ok(
      denied.every(({ at }) => at < 2_500),
      'and later nobody',
    )
    assert.ok(denied.length < 80, `${denied.length} of 300 denied`)
    assert.equal(pretend.backend.state().breaker === 'closed', false)
    // It does not feed itself: a silence that nobody confirms frees no further try.
    assert.ok(pretend.asked() - before < 110, `${pretend.asked() - before} questions`)
  })

  test('by tokens that all fail, though a scanner without one is answered', async () => {
    const pretend = createPretendBackend()
    pretend.acts((token) => (token === '' ? { status: 403, took: 1 } : 'silent'))
    const end = hammer(pretend, 3, () => ['', '203.0.113.1'])
    await pretend.come(30, 10, good)
    assert.notEqual(pretend.backend.state().breaker, 'closed')
    await end()
  })
})

describe('6. a backend that is back is used within two seconds', () => {
  const firstAllow = async (pretend: PretendBackend): Promise<number> => {
    const began = pretend.time.clock()
    for (let n = 0; pretend.time.clock() - began < 20_000; n++) {
      const [came] = await pretend.come(1, 50, () => good(9_000 + n))
      if (came?.what === 'allow') break
    }
    return pretend.time.clock() - began
  }

  test('beside clients whose questions break it again and again', async () => {
    const pretend = createPretendBackend()
    pretend.acts(() => 'silent')
    await pretend.come(30, 0, good)
    assert.notEqual(pretend.backend.state().breaker, 'closed')
    const end = hammer(pretend, 6, (n) => ['evil', n % 2 === 0 ? '192.0.2.9' : '2001:db8::9'])
    await pretend.time.pass(3_000)
    pretend.acts((token) => (token === 'evil' ? 'reset' : { status: 200, took: 30 }))
    const took = await firstAllow(pretend)
    assert.ok(took < 2_000, `${took} ms`)
    await end()
  })

  test('also when it is up and down each second', async () => {
    const pretend = createPretendBackend()
    const end = hammer(pretend, 20, good)
    for (let second = 0; second < 20; second++) {
      pretend.acts(() => (second % 2 === 0 ? 'reset' : { status: 200, took: 30 }))
      await pretend.time.pass(1_000)
    }
    pretend.acts(() => ({ status: 200, took: 30 }))
    assert.ok((await firstAllow(pretend)) < 2_000)
    await end()
  })
})

test('7. five workers recover from a crowd that is too large: ten in a row are served within two seconds', async () => {
  const pretend = createPretendBackend({ workers: 5 })
  pretend.acts(() => ({ status: 200, took: 200 }))
  const crowd = await pretend.come(360, 16, good)
  assert.ok((tally(crowd)['allow'] ?? 0) > 50, JSON.stringify(tally(crowd)))
  const began = pretend.time.clock()
  const later = await pretend.come(60, 100, (n) => good(5_000 + n))
  const first = later.findIndex((_, n) => later.slice(n, n + 10).every(({ what }) => what === 'allow'))
  assert.ok((later[first]?.at ?? Number.POSITIVE_INFINITY) - began < 2_000)
})
