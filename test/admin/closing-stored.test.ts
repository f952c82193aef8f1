import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorOf } from '../support/admin-gate.ts'
import type { GateAnswer } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { type KeptGate, startKeptGate } from '../support/kept-gate.ts'
import type { Scope } from '../support/scope.ts'
import { type StoredGate, startStoredGate } from '../support/stored-gate.ts'
import { until } from '../support/until.ts'

const PATIENCE = 60_000

/** Names the user in the token. */
const byToken: Backend['answer'] = ({ target }, response) => {
  const user = /[?&]token=(\w+)/.exec(target)?.[1]
  response.writeHead(user === undefined ? 403 : 200, { 'X-UserId': user, 'X-AuthDuration': '600' }).end()
}

type AnyGate = Pick<KeptGate | StoredGate, 'ask' | 'admin'>

async function start(t: Scope, more: Readonly<Record<string, string>> = {}) {
  const backend = await startBackend(t)
  backend.answer = byToken
  const gate = await startStoredGate(t, { BACKEND_URL: backend.url, ...more })
  return { backend, gate }
}

/** In a process of its own. */
async function startProcess(t: Scope) {
  const backend = await startBackend(t)
  backend.answer = byToken
  const gate = await startKeptGate(t, { BACKEND_URL: backend.url })
  return { backend, gate }
}

const playlist = (user: string): string => `/live/${user}/index.m3u8?token=${user}`

const play = (gate: AnyGate, user: string): Promise<GateAnswer> =>
  gate.ask({ uri: playlist(user), userAgent: user })

/** Opens a session for each of them. Resolves with the ids. */
async function open(gate: AnyGate, ...users: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const user of users) {
    const { reason, sessionId } = await play(gate, user)
    assert.equal(reason, 'backend-200')
    ids.push(sessionId)
  }
  return ids
}

async function silence(gate: AnyGate): Promise<void> {
  const count = async (): Promise<number> =>
    ((await gate.admin('GET /sessions')).json as { total: number }).total
  await until('all to be silent', async () => (await count()) === 0, PATIENCE)
}

describe('closing what only the store holds', () => {
  test('reaches silent sessions: by id, by user, and all', async (t) => {
    const { backend, gate } = await start(t, { SESSION_IDLE: '1s' })
    const [anna = ''] = await open(gate, 'anna', 'ben', 'carla', 'dora')
    await silence(gate)
    // It plays nowhere, and is closed all the same.
    assert.equal((await gate.admin(`DELETE /sessions/${anna}`)).status, 404)
    const ben = await gate.admin('DELETE /sessions?user=ben')
    assert.deepEqual([ben.status, ben.json], [200, { closed: 0, written: true }])
    // Nobody is let in by the backend from here on.
    backend.answer = status(403)
    assert.equal((await play(gate, 'carla')).reason, 'resumed')
    for (const user of ['anna', 'ben']) assert.equal((await play(gate, user)).reason, 'backend-403')
    const all = await gate.admin('DELETE /sessions?all=yes')
    assert.deepEqual(all.json, { closed: 1, written: true })
    for (const user of ['carla', 'dora']) assert.equal((await play(gate, user)).verdict, 'deny')
  })

  test('reaches sessions that nobody has adopted yet after a restart', async (t) => {
    const { backend, gate } = await start(t)
    const [anna = ''] = await open(gate, 'anna', 'ben', 'carla')
    await gate.restart()
    backend.answer = status(403)
    assert.equal((await gate.admin(`GET /sessions/${anna}`)).status, 404)
    assert.equal((await gate.admin(`DELETE /sessions/${anna}`)).status, 404)
    assert.deepEqual((await gate.admin('DELETE /sessions?user=ben')).json, { closed: 0, written: true })
    assert.equal((await play(gate, 'carla')).reason, 'adopted')
    for (const user of ['anna', 'ben']) assert.equal((await play(gate, user)).verdict, 'deny')
  })

  test('counts after a kill -9 right behind the answer', async (t) => {
    const { backend, gate } = await startProcess(t)
    const [anna = ''] = await open(gate, 'anna', 'ben', 'carla', 'dora')
    await gate.restart('SIGTERM')
    backend.answer = status(403)
    for (const user of ['anna', 'ben', 'dora']) assert.equal((await play(gate, user)).reason, 'adopted')
    for (const [what, code] of [
      [`DELETE /sessions/${anna}`, 204],
      // One that plays; and one that only the store holds.
      ['DELETE /sessions?user=ben', 200],
      ['DELETE /sessions?user=carla', 200],
    ] as const) {
      const answer = await gate.admin(what)
      assert.equal(answer.status, code, answer.body)
      await gate.restart('SIGKILL')
    }
    assert.equal((await play(gate, 'dora')).reason, 'adopted')
    for (const user of ['anna', 'ben', 'carla']) assert.equal((await play(gate, user)).verdict, 'deny')
  })

  test('tells how a session came, and its part', async (t) => {
    const { gate } = await start(t, { SESSION_IDLE: '1s' })
    const [anna = ''] = await open(gate, 'anna')
    const standing = async (): Promise<unknown[]> => {
      const { part, came } = (await gate.admin(`GET /sessions/${anna}`)).json as { part: 1; came: '' }
      return [part, came]
    }
    assert.deepEqual(await standing(), [1, 'opened'])
    await silence(gate)
    assert.equal((await play(gate, 'anna')).reason, 'resumed')
    assert.deepEqual(await standing(), [2, 'resumed'])
  })

  test('a session that was adopted says so', async (t) => {
    const { gate } = await start(t)
    const [anna = ''] = await open(gate, 'anna')
    await gate.restart()
    assert.equal((await play(gate, 'anna')).reason, 'adopted')
    const { part, came } = (await gate.admin(`GET /sessions/${anna}`)).json as { part: 1; came: '' }
    assert.deepEqual([part, came], [1, 'adopted'])
  })
})

describe('closing while the store is away', () => {
  test('counts at once, says that it is not written, and is written later', async (t) => {
    const { backend, gate } = await startProcess(t)
    const [anna = ''] = await open(gate, 'anna', 'ben')
    // A second gate with the same folder: the first one holds the store.
    const { STATE_URL = '' } = gate.environment
    const second = await startKeptGate(t, { BACKEND_URL: backend.url, STATE_URL })
    const [carla = ''] = await open(second, 'carla', 'dora')

    const one = await second.admin(`DELETE /sessions/${carla}`)
    assert.equal(one.status, 202)
    const { message, ...told } = one.json as { message: string }
    assert.deepEqual(told, { closed: 1, written: false })
    assert.match(message, /not written yet; that is tried again.*another process/)
    const all = await second.admin('DELETE /sessions?all=yes')
    assert.equal(all.status, 202)
    assert.deepEqual({ ...(all.json as object), message }, { closed: 1, written: false, message })
    backend.answer = status(403)
    for (const user of ['carla', 'dora']) assert.equal((await play(second, user)).verdict, 'deny')
    // It may be one that the store holds.
    const unknown = await second.admin(`DELETE /sessions/${anna}`)
    assert.equal(unknown.status, 503)
    assert.match(errorOf(unknown), /not written yet; that is tried again/)
    assert.equal((await second.admin('DELETE /sessions/x')).status, 404)

    await gate.end('SIGTERM')
    await until(
      'the second gate to have the store',
      () => second.main.stdout().includes('state available again'),
      PATIENCE,
    )
    assert.equal((await second.admin('DELETE /sessions?user=nobody')).status, 200)
    await second.restart('SIGKILL')
    for (const user of ['anna', 'ben', 'carla', 'dora'])
      assert.equal((await play(second, user)).verdict, 'deny', user)
  })
})
