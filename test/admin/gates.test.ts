import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OfGates } from '../../src/admin/desk-of-gates.ts'
import type { SessionPage } from '../../src/admin/sessions-desk.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import type { AdminAnswer } from '../support/admin-gate.ts'
import { errorOf } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { type Gates, type NamedGate, startGates } from '../support/gates.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** Names the user in the token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=(\w+)/.exec(target)?.[1] ?? ''
  response.writeHead(user === '' ? 403 : 200, { 'X-UserId': user }).end()
}

type Page = SessionPage & OfGates

async function startTwo(t: Scope): Promise<Gates & { north: NamedGate; south: NamedGate }> {
  const backend = await startBackend(t)
  backend.answer = byToken
  const settings = { BACKEND_URL: backend.url, CHANNEL_PATTERN: '^/live/([^/]+)/', STATE_URL: 'off' }
  const gates = await startGates(t, settings, ['north', 'south'] as const)
  const [north, south] = gates.all
  return { ...gates, north, south }
}

async function play({ gate }: NamedGate, user: string, channel = 'news'): Promise<string> {
  const { sessionId } = await askGate(gate.port, {
    uri: `/live/${channel}/index.m3u8?token=${user}`,
    userAgent: user,
  })
  return sessionId
}

const names = (all: readonly SessionView[]): string[] => all.map(({ user, gate }) => `${user} at ${gate}`)
const answered = (answer: AdminAnswer): string =>
  (answer.json as OfGates).gates.map((gate) => `${gate.name}${gate.answered ? '' : '?'}`).join(' ')

describe('the sessions of two gates', () => {
  test('are listed by either of them, each with its gate, in one order', async (t) => {
    const { north, south } = await startTwo(t)
    for (const [gate, user] of [
      [north, 'anna'],
      [south, 'ben'],
      [north, 'carla'],
    ] as const) {
      await play(gate, user)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    for (const { admin } of [north, south]) {
      const answer = await admin('GET /sessions')
      const { sessions, next, total } = answer.json as Page
      assert.deepEqual(names(sessions), ['carla at north', 'ben at south', 'anna at north'])
      assert.deepEqual([next, total, answered(answer)], [null, 3, 'north south'])
    }
    const own = await south.admin('GET /sessions?gates=this')
    assert.deepEqual(names((own.json as Page).sessions), ['ben at south'])
    assert.ok(!('gates' in (own.json as Page)))
    const ben = await north.admin('GET /sessions?user=ben')
    assert.deepEqual(names((ben.json as Page).sessions), ['ben at south'])
    assert.equal((await north.admin('GET /sessions?gates=x')).status, 400)
  })

  test('are on exactly one page each, wherever they are', async (t) => {
    const { north, south } = await startTwo(t)
    const all = new Set<string>()
    for (let n = 0; n < 60; n++) all.add(await play(n % 3 === 0 ? north : south, `user${n}`))
    for (const limit of [1, 7, 60]) {
      const seen: string[] = []
      for (let after: string | null = ''; after !== null; ) {
        const answer = await north.admin(
          `GET /sessions?limit=${limit}${after === '' ? '' : `&after=${after}`}`,
        )
        const page = answer.json as Page
        seen.push(...page.sessions.map(({ session }) => session))
        after = page.next
      }
      assert.deepEqual([seen.length, new Set(seen)], [60, all])
    }
  })

  test('are found, closed and closed by filter wherever they are', async (t) => {
    const { north, south } = await startTwo(t)
    const [anna, ben] = [await play(north, 'anna'), await play(south, 'ben')]
    await play(north, 'carla')
    await play(south, 'carla', 'films')
    const found = (await north.admin(`GET /sessions/${ben}`)).json as SessionView
    assert.deepEqual([found.user, found.gate], ['ben', 'south'])
    assert.equal((await north.admin('GET /sessions/AAAAAAAAAAAAAAAAAAAAAA')).status, 404)
    assert.equal((await north.admin('DELETE /sessions/AAAAAAAAAAAAAAAAAAAAAA')).status, 404)

    assert.equal((await north.admin(`DELETE /sessions/${ben}`)).status, 204)
    assert.equal((await south.admin(`GET /sessions/${ben}`)).status, 404)
    assert.equal((await south.admin(`DELETE /sessions/${anna}`)).status, 204)

    const closing = await south.admin('DELETE /sessions?user=carla')
    const { closed } = closing.json as { closed: number }
    assert.deepEqual([closing.status, closed, answered(closing)], [200, 2, 'north south'])
    assert.equal(((await north.admin('GET /sessions')).json as Page).total, 0)
  })

  test('a gate that does not answer is named, and nothing is said to be certain', async (t) => {
    const { place, north, south } = await startTwo(t)
    const [anna, ben] = [await play(north, 'anna'), await play(south, 'ben')]
    const letGo = place.hold(['south'])
    const began = performance.now()
    const list = await north.admin('GET /sessions')
    assert.ok(performance.now() - began >= 480)
    assert.deepEqual(names((list.json as Page).sessions), ['anna at north'])
    assert.equal(answered(list), 'north south?')
    const unsure = await north.admin(`GET /sessions/${ben}`)
    assert.deepEqual([unsure.status, /no answer of south; ask again/.test(errorOf(unsure))], [503, true])
    assert.equal((await north.admin(`DELETE /sessions/${ben}`)).status, 503)
    const closed = await north.admin(`DELETE /sessions/${anna}`)
    assert.equal(closed.status, 202)
    assert.match((closed.json as { message: string }).message, /no answer of south/)
    // A close is not lost: it is done as soon as the gate hears of it.
    letGo()
    await until('the close to arrive', async () => !(await has(south, ben)), 30_000)
  })

  test('while the store is away each gate speaks for itself, and says so', async (t) => {
    const { place, north, south } = await startTwo(t)
    await play(south, 'ben')
    const anna = await play(north, 'anna')
    place.fails('refused')
    await until(
      'the loss to be seen',
      async () => answered(await north.admin('GET /sessions')) === 'north south?',
      30_000,
    )
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const began = performance.now()
    const list = await north.admin('GET /sessions')
    assert.ok(performance.now() - began < 400, 'nobody is waited for')
    assert.deepEqual(names((list.json as Page).sessions), ['anna at north'])
    const closing = await north.admin(`DELETE /sessions?user=anna`)
    assert.equal(closing.status, 202)
    assert.match(closing.body, /no answer of south/)
    assert.equal((await north.admin(`GET /sessions/${anna}`)).status, 503)
  })

  test('an explanation says which other gate has a session that would answer', async (t) => {
    const { north, south } = await startTwo(t)
    await askGate(south.gate.port, { uri: '/live/news/index.m3u8?token=ben' })
    const url = encodeURIComponent('http://live.example.com/live/news/1.ts')
    const ask = async (path: string, ua: string) => {
      const answer = await north.admin(`GET /explain?url=${path}&ip=192.0.2.1&ua=${ua}`)
      return (
        answer.json as { known: { gates: { gate: string; session: SessionView | null; finding: string }[] } }
      ).known.gates
    }
    const { address, userAgent, origin } =
      ((await south.admin('GET /sessions')).json as Page).sessions[0] ?? {}
    assert.equal(address, '192.0.2.1')
    const here = encodeURIComponent(`${origin}/live/news/1.ts`)
    const [held] = await ask(here, encodeURIComponent(userAgent ?? ''))
    assert.deepEqual([held?.gate, held?.session?.user], ['south', 'ben'])
    assert.match(held?.finding ?? '', /rides on a session there/)
    const [none] = await ask(url, 'another')
    assert.deepEqual([none?.gate, none?.session], ['south', null])
  })

  test('/readyz lists the gates as they were last heard of, and waits for none', async (t) => {
    const { place, north } = await startTwo(t)
    place.hold(['south'])
    const { gates } = (await north.admin('GET /readyz')).json as {
      gates: { name: string; away: boolean; all: { name: string; sessions: number; seen: number }[] }
    }
    assert.deepEqual([gates.name, gates.away], ['north', false])
    assert.deepEqual(
      gates.all.map(({ name, sessions }) => [name, sessions]),
      [
        ['north', 0],
        ['south', 0],
      ],
    )
    assert.ok((gates.all[1]?.seen ?? 99) <= 6)
  })

  test('metrics tell the name of the gate and how many there are', async (t) => {
    const { north } = await startTwo(t)
    const { body } = await north.admin('GET /metrics')
    assert.match(body, /^alta_auth_gate_info\{gate="north"\} 1$/m)
    assert.match(body, /^alta_auth_gates 2$/m)
  })
})

async function has({ admin }: NamedGate, id: string): Promise<boolean> {
  const page = (await admin('GET /sessions?gates=this')).json as Page
  return page.sessions.some(({ session }) => session === id)
}
