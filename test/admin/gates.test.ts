import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SessionPage } from '../../src/admin/sessions-desk.ts'
import type { AskedGate } from '../../src/fleet/fleet.ts'
import type { SessionView } from '../../src/session/session-view.ts'
import { createVault } from '../../src/state/vault.ts'
import { openEngine } from '../state/valkey/engine-place.ts'
import type { AdminAnswer } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { type Gates, type NamedGate, type ReadyGates, startGates } from '../support/gates.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { settingsFor } from '../support/valkey.ts'

/** Names the user in the token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=(\w+)/.exec(target)?.[1] ?? ''
  response.writeHead(user === '' ? 403 : 200, { 'X-UserId': user }).end()
}

interface OfGates {
  readonly gates: readonly AskedGate[]
}
type Page = SessionPage & OfGates
const SECRET = 'a-secret-of-thirty-two-characters-'

async function startTwo(t: Scope): Promise<Gates & { north: NamedGate; south: NamedGate }> {
  const backend = await startBackend(t)
  backend.answer = byToken
  const settings = { BACKEND_URL: backend.url, CHANNEL_PATTERN: '^/live/([^/]+)/' }
  const gates = await startGates(t, settings, ['north', 'south'] as const)
  const [north, south] = gates.all
  return { ...gates, north, south }
}

/** A gate that is in the roster, and says nothing more. */
async function addSilent(t: Scope, { valkey }: Gates, secret = SECRET, configuration = 'x'): Promise<void> {
  const engine = await openEngine(t, settingsFor([valkey], { prefix: 'alta-auth:' }))
  const about = JSON.stringify({ name: 'silent', version: '9', configuration, sessions: 0 })
  const entry = createVault([secret], '', engine.keys).seal(about, engine.keys.gates)
  await engine.beat({ entry, number: 0, have: 0, most: 1_000 })
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

describe('the sessions of two gates', { concurrency: 3 }, () => {
  test('a list is of one gate, a search of both, the latest first', async (t) => {
    const { north, south } = await startTwo(t)
    for (const [gate, user] of [
      [north, 'anna'],
      [south, 'ben'],
      [north, 'carla'],
    ] as const) {
      await play(gate, user)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const own = (await north.admin('GET /sessions')).json as Page
    assert.deepEqual([names(own.sessions), own.total], [['carla at north', 'anna at north'], 2])
    for (const { admin } of [north, south]) {
      const answer = await admin('GET /sessions?channel=news')
      const { sessions, next, total } = answer.json as Page
      assert.deepEqual(names(sessions), ['carla at north', 'ben at south', 'anna at north'])
      assert.deepEqual([next, total, answered(answer)], [null, 3, 'north south'])
    }
    const here = (await south.admin('GET /sessions?channel=news&gates=this')).json as Page
    assert.deepEqual(names(here.sessions), ['ben at south'])
    assert.equal((await north.admin('GET /sessions?gates=x')).status, 400)
  })

  test('are found, closed and closed by filter wherever they are', async (t) => {
    const { north, south } = await startTwo(t)
    const [anna, ben] = [await play(north, 'anna'), await play(south, 'ben')]
    await play(north, 'carla')
    await askGate(south.gate.port, { uri: '/live/films/index.m3u8?token=carla', userAgent: 'another' })
    const found = (await north.admin(`GET /sessions/${ben}`)).json as SessionView
    assert.deepEqual([found.user, found.gate], ['ben', 'south'])
    assert.equal((await north.admin('GET /sessions/AAAAAAAAAAAAAAAAAAAAAA')).status, 404)
    assert.equal((await north.admin('DELETE /sessions/AAAAAAAAAAAAAAAAAAAAAA')).status, 404)

    assert.equal((await north.admin(`DELETE /sessions/${ben}`)).status, 204)
    assert.equal((await south.admin(`GET /sessions/${ben}`)).status, 404)
    assert.equal((await south.admin(`DELETE /sessions/${anna}`)).status, 204)

    const closing = await south.admin('DELETE /sessions?user=carla')
    // On a busy machine half a second may not suffice for the other gate's answer.
    if (closing.status === 200) {
      const { closed } = closing.json as { closed: number }
      assert.deepEqual([closed, answered(closing)], [2, 'north south'])
    } else assert.deepEqual([closing.status, answered(closing)], [202, 'north? south'])
    await until(
      'all gates to have closed',
      async () => (await south.admin('DELETE /sessions?user=carla')).status === 200,
      30_000,
    )
    assert.equal(((await north.admin('GET /sessions')).json as Page).total, 0)
    assert.equal(((await south.admin('GET /sessions')).json as Page).total, 0)
  })

  test('a gate that does not answer is named, and nothing is said to be certain', async (t) => {
    const gates = await startTwo(t)
    const { north, south } = gates
    await addSilent(t, gates)
    const [, ben] = [await play(north, 'anna'), await play(south, 'ben')]
    const list = await north.admin('GET /sessions?channel=news')
    assert.deepEqual(names((list.json as Page).sessions).sort(), ['anna at north', 'ben at south'])
    assert.equal(answered(list), 'north silent? south')
    assert.equal((await north.admin('GET /sessions/AAAAAAAAAAAAAAAAAAAAAA')).status, 503)
    const closed = await north.admin('DELETE /sessions?user=ben')
    assert.deepEqual([closed.status, (closed.json as { closed: number }).closed], [202, 1])
    assert.match((closed.json as { message: string }).message, /no answer of silent/)
    assert.ok(!(await has(south, ben)))
  })

  test('a close while the store is away reaches the other gate when it is back', async (t) => {
    const { valkey, north, south } = await startTwo(t)
    const [anna, ben] = [await play(north, 'anna'), await play(south, 'ben')]
    await valkey.kill()
    const isAway = async (): Promise<boolean> =>
      ((await north.admin('GET /readyz')).json as ReadyGates).gates.away
    await until('the loss to be seen', isAway, 30_000)
    const list = await north.admin('GET /sessions?channel=news')
    assert.deepEqual(
      [names((list.json as Page).sessions), answered(list)],
      [['anna at north'], 'north south?'],
    )
    for (const user of ['anna', 'ben'])
      assert.equal((await north.admin(`DELETE /sessions?user=${user}`)).status, 202)
    assert.ok(!(await has(north, anna)))
    assert.ok(await has(south, ben))
    await valkey.restart()
    await until('the close to arrive', async () => !(await has(south, ben)), 30_000)
  })

  test('the 1,001st filter is refused, a user and all are not', async (t) => {
    const { north } = await startTwo(t)
    const close = async (filter: string): Promise<number> =>
      (await north.admin(`DELETE /sessions?${filter}`)).status
    for (let at = 0; at < 1_000; at += 50)
      await Promise.all(Array.from({ length: 50 }, (_, more) => close(`channel=channel${at + more}`)))
    assert.equal(await close('channel=one-more'), 503)
    assert.equal(await close('channel=channel7'), 200)
    assert.equal(await close('user=anna'), 200)
    assert.equal(await close('all=yes'), 200)
    assert.equal(await close('channel=one-more'), 200, 'all has taken the place of the others')
  })

  test('a gate with another STATE_SECRET, or another configuration, is told at both', async (t) => {
    const gates = await startTwo(t)
    const misfits = async ({ admin }: NamedGate): Promise<string> =>
      ((await admin('GET /readyz')).json as ReadyGates).gates.misfits.join(' ')
    assert.equal(await misfits(gates.north), '')
    const odd = await gates.add('odd', { TOKEN_PARAM: 'ticket' })
    for (const gate of [gates.north, odd])
      await until(
        'the other configuration to be told',
        async () => /has another configuration/.test(await misfits(gate)),
        30_000,
      )
    const typo = await gates.add('typo', { STATE_SECRET: 'a-secret-of-thirty-two-characters+' })
    for (const gate of [gates.north, typo])
      await until(
        'the other secret to be told',
        async () => /another STATE_SECRET/.test(await misfits(gate)) || !(await isUsable(gate)),
        30_000,
      )
    assert.ok(await isUsable(gates.north))
    assert.ok(!(await isUsable(typo)))
    assert.ok(gates.north.gate.log.some(({ message }) => message === 'gates do not fit'))
  })

  test('/readyz and the metrics tell which gates there are', async (t) => {
    const { north, south } = await startTwo(t)
    const { gates } = (await north.admin('GET /readyz')).json as ReadyGates
    assert.deepEqual([gates.name, gates.away], ['north', false])
    assert.deepEqual(
      gates.all.map(({ name, sessions }) => [name, sessions]),
      [
        ['north', 0],
        ['south', 0],
      ],
    )
    const { body } = await north.admin('GET /metrics')
    assert.match(body, /^alta_auth_gate_info\{gate="north"\} 1$/m)
    assert.match(body, /^alta_auth_gates 2$/m)
    await south.gate.service.stop()
    await until(
      'the goodbye to be heard',
      async () => ((await north.admin('GET /readyz')).json as ReadyGates).gates.all.length === 1,
      30_000,
    )
  })
})

async function isUsable({ admin }: NamedGate): Promise<boolean> {
  return ((await admin('GET /readyz')).json as { state: { usable: boolean } }).state.usable
}

async function has({ admin }: NamedGate, id: string): Promise<boolean> {
  const page = (await admin('GET /sessions?gates=this')).json as Page
  return page.sessions.some(({ session }) => session === id)
}
