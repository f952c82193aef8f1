import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CookieQuestion, cookieRequest } from '../support/cookie-request.ts'
import { allow, createPretendGate, deny, type PretendGateOptions, tokens } from '../support/pretend-gate.ts'
import { facts, held } from '../support/pretend-viewer.ts'

const OPENING = '/live/one/index.m3u8?token=X'
const strict: CookieQuestion = { mode: 'strict' }

/** A strict session, opened at 0, and its cookie. */
async function opened(target = OPENING, options: PretendGateOptions = {}) {
  const gate = createPretendGate(options)
  const { newCookie, sessionId } = await gate.decide(cookieRequest(target, strict))
  return { gate, newCookie, sessionId, own: cookieRequest(target, strict) }
}

describe('the URL that opened a strict session, without its cookie', () => {
  test('keeps its verdict for a second; then it is asked about, and an allow brings another cookie', async () => {
    const { gate, newCookie, sessionId, own } = await opened()
    gate.pass(999)
    assert.equal(facts(gate.decideAtOnce(own)), 'allow session remembered')
    gate.pass(1)
    const again = await gate.decide(own)
    assert.equal(facts(again), 'allow backend backend-200')
    assert.ok(again.newCookie !== undefined && again.newCookie !== newCookie)
    assert.equal(again.sessionId, sessionId, 'no further session')
    assert.equal(again.cacheable, false)
    for (const value of [newCookie, again.newCookie]) {
      const segment = cookieRequest('/live/one/1.ts', { ...strict, value, address: '198.51.100.7' })
      assert.equal(facts(gate.decideAtOnce(segment)), 'allow session riding')
    }
  })

  test('brings eight cookies at most; those that were sent stay', async () => {
    const { gate, newCookie = '', own } = await opened()
    const isHeld = (value: string): boolean =>
      facts(gate.decideAtOnce(cookieRequest('/live/one/1.ts', { ...strict, value }))).startsWith('allow')
    assert.ok(isHeld(newCookie))
    const values: string[] = []
    for (let n = 0; n < 12; n++) {
      gate.pass(1_000)
      values.push((await gate.decide(own)).newCookie ?? '')
    }
    assert.equal(new Set(values).size, 12)
    assert.equal(gate.sessions.count(), 1)
    assert.ok(isHeld(newCookie) && values.slice(-7).every(isHeld))
    const [session] = [...gate.sessions.all()]
    assert.equal(session?.secret?.cookies.length, 8)
  })

  test('is asked about once a second; a deny leaves the verdict, and brings no cookie', async () => {
    const { gate, newCookie, sessionId, own } = await opened()
    gate.answers(deny)
    for (let second = 1; second <= 5; second++) {
      gate.pass(1_000)
      for (let n = 0; n < 3; n++) {
        const decision = await gate.decide(own)
        assert.deepEqual([facts(decision), decision.newCookie], ['allow session remembered', undefined])
        assert.equal(decision.sessionId, sessionId)
      }
      assert.equal(gate.asked.length, 1 + second)
    }
    const holder = cookieRequest('/live/one/1.ts', { ...strict, value: newCookie })
    assert.equal(facts(gate.decideAtOnce(holder)), 'allow session riding')
  })

  test('is refused when the session has ended while the backend denied', async () => {
    const { gate, own } = await opened()
    gate.pass(1_000)
    const answer = held(gate)
    const waiting = gate.decide(own)
    const [session] = gate.sessions.all()
    assert.ok(session)
    gate.sessions.end(session, 'closed')
    await answer(deny())
    assert.equal(facts(await waiting), 'deny backend backend-403')
  })

  test('keeps its verdict with its cookie, without a question', async () => {
    const { gate, newCookie } = await opened()
    gate.pass(30_000)
    const own = cookieRequest(OPENING, { ...strict, value: newCookie })
    assert.equal(facts(gate.decideAtOnce(own)), 'allow session remembered')
  })

  test('keeps its verdict where another mode counts, without a question', async () => {
    const { gate } = await opened()
    gate.pass(30_000)
    for (const mode of ['off', 'on'] as const)
      assert.equal(facts(gate.decideAtOnce(cookieRequest(OPENING, { mode }))), 'allow session remembered')
  })

  test('of a film keeps its verdict: it brings no cookie', async () => {
    const { gate, newCookie, own } = await opened('/film.mp4?token=X')
    assert.equal(newCookie, undefined)
    gate.pass(30_000)
    assert.equal(facts(gate.decideAtOnce(own)), 'allow session remembered')
  })
})

describe('requests that wait for one answer', () => {
  for (const [leader, follower] of [
    ['on', 'on'],
    ['on', 'off'],
    ['off', 'on'],
    ['on', 'strict'],
    ['off', 'strict'],
    ['strict', 'on'],
    ['strict', 'off'],
    ['strict', 'strict'],
  ] as const)
    for (const channelPattern of [undefined, /^\/live\/([^/]+)/])
      test(`${leader}, then ${follower}: nobody gets the cookie of another${channelPattern ? ', with a channel' : ''}`, async () => {
        const gate = createPretendGate({ channelPattern })
        const answer = held(gate)
        const waiting = [leader, follower].map((mode) => gate.decide(cookieRequest(OPENING, { mode })))
        await answer(allow())
        const given = (await Promise.all(waiting)).map(({ newCookie }) => newCookie)
        const isAlone = leader === 'strict' || follower === 'strict'
        assert.equal(gate.asked.length, isAlone ? 2 : 1)
        assert.equal(given[0] !== undefined, leader !== 'off')
        assert.equal(given[1] !== undefined, isAlone && follower !== 'off')
        assert.ok(given[0] === undefined || given[0] !== given[1])
      })
})

test('an opening with a known cookie joins it, but not where the backend names another user', async () => {
  const gate = createPretendGate()
  gate.answers(({ query }) => ({ kind: 'allow', backend: 'pretend', grant: { userId: query.slice(-1) } }))
  const ask = (channel: string, user: string, value?: string) =>
    gate.decide(cookieRequest(`/live/${channel}/index.m3u8?token=${user}`, { mode: 'strict', value }))
  const { newCookie: value } = await ask('one', '1')
  assert.equal((await ask('two', '1', value)).newCookie, undefined)
  const other = await ask('three', '2', value)
  assert.ok(other.newCookie !== undefined && other.newCookie !== value)
  gate.answers(tokens())
  const ride = async (channel: string, with_: string | undefined) =>
    (await gate.decide(cookieRequest(`/live/${channel}/1.ts`, { mode: 'strict', value: with_ }))).verdict
  assert.deepEqual(
    [await ride('one', value), await ride('two', value), await ride('three', value)],
    ['allow', 'allow', 'deny'],
  )
  assert.deepEqual(
    [await ride('three', other.newCookie), await ride('one', other.newCookie)],
    ['allow', 'deny'],
  )
})

test('a cookie is joined by a hundred sessions at most', async () => {
  const gate = createPretendGate()
  const ask = (n: number, value?: string) =>
    gate.decide(cookieRequest(`/live/${n}/index.m3u8?token=X`, { mode: 'on', value }))
  const { newCookie: value } = await ask(0)
  for (let n = 1; n < 100; n++) assert.equal((await ask(n, value)).newCookie, undefined)
  assert.ok((await ask(100, value)).newCookie)
})
