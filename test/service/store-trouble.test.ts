import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { get } from '../support/http-get.ts'
import { readCheck } from '../support/run-check.ts'
import type { Scope } from '../support/scope.ts'
import { scrape } from '../support/scrape.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const TOKEN = 'a-long-random-text-for-the-admin-listener'
const playlist = { uri: '/live/news/index.m3u8?token=good' }

interface Place {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly adminPort: number
  start(): Promise<Gate>
}

async function makePlace(scope: Scope): Promise<Place> {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const folder = join(makeTemporaryFolder(scope), 'state')
  const adminPort = await findFreePort()
  const environment = {
    BACKEND_URL: `${backend.url}/auth`,
    ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    ADMIN_TOKEN: TOKEN,
    STATE_URL: `file:${folder}`,
  }
  return { folder, environment, adminPort, start: () => startGate(scope, environment) }
}

const headers = { Authorization: `Bearer ${TOKEN}` }

async function readyzOf(adminPort: number, more: Record<string, string> = headers) {
  const { status, body } = await get({ port: adminPort }, '/readyz', more)
  return { status, ...JSON.parse(body) }
}

/** Lines of the log about the store. */
function saidOf({ log }: Gate): Readonly<Record<string, unknown>>[] {
  return log.filter(({ message }) => String(message).startsWith('state '))
}

const troubles: readonly (readonly [
  why: string,
  make: (place: Place, scope: Scope) => unknown,
  says: RegExp,
])[] = [
  [
    'in-use',
    async ({ environment }, scope) => startGateProcess(scope, { ...environment, ADMIN_LISTEN: 'off' }),
    /another process uses it; give each gate a folder of its own$/,
  ],
  [
    'rights',
    ({ folder }) => {
      mkdirSync(folder)
      chmodSync(folder, 0o755)
    },
    /^others may read or write \S+; take that from them: chmod 700 \S+$/,
  ],
  [
    'foreign',
    ({ folder }) => {
      mkdirSync(folder, { mode: 0o700 })
      chmodSync(folder, 0o700)
      writeFileSync(join(folder, 'notes.txt'), '')
    },
    /no store of ours \(it holds "notes.txt"\); choose a folder that is new or empty$/,
  ],
]

describe('a store that cannot be used: the gate decides, and says so once and everywhere', () => {
  for (const [why, make, says] of troubles) {
    test(why, async (t) => {
      const place = await makePlace(t)
      const { adminPort, environment } = place
      await make(place, t)
      const gate = await place.start()
      assert.equal((await askGate(gate.port, playlist)).reason, 'backend-200')
      assert.equal((await askGate(gate.port, { uri: '/live/news/1.ts' })).reason, 'riding')

      const readyz = await readyzOf(adminPort)
      assert.deepEqual([readyz.status, readyz.ready, readyz.reasons], [200, true, []])
      const { usable, since, why: told, message } = readyz.state
      assert.deepEqual([usable, told], [false, why])
      assert.equal(new Date(since).toISOString(), since)
      assert.match(message, says)
      assert.deepEqual(await readyzOf(adminPort, {}), { status: 200, ready: true, reasons: [] })

      // It is opened again after a second, then after two.
      await until('a second try', async () => {
        const now = await scrape(adminPort, headers)
        assert.equal(now.value('alta_auth_state_usable'), 0)
        return now.value('alta_auth_state_failures_total', { why }) >= 2
      })
      assert.equal((await readyzOf(adminPort)).state.since, since)
      assert.deepEqual(
        saidOf(gate).map(({ time: _, ...rest }) => rest),
        [{ level: 'warn', message: 'state unavailable', why, detail: message }],
      )

      const { checks } = await readCheck(t, { ...environment, LISTEN: `127.0.0.1:${gate.port}` })
      const [finding, ...others] = checks.filter(({ name }) => name === 'store')
      assert.deepEqual([finding?.result, others], ['failed', []])
      assert.match(
        finding?.finding ?? '',
        new RegExp(`decides without its store since ${since} \\(${why}\\): `),
      )
      assert.ok(finding?.remedy !== undefined && message.endsWith(`; ${finding.remedy}`), finding?.remedy)
    })
  }

  test('and again when it can be used', async (t) => {
    const place = await makePlace(t)
    mkdirSync(place.folder)
    chmodSync(place.folder, 0o755)
    const gate = await place.start()
    await askGate(gate.port, playlist)
    chmodSync(place.folder, 0o700)
    await until('the store', async () => (await readyzOf(place.adminPort)).state.usable === true)
    const { state } = await readyzOf(place.adminPort)
    assert.deepEqual(Object.keys(state), ['usable', 'since'])
    await until('both lines', () => saidOf(gate).length > 1)
    assert.deepEqual(
      saidOf(gate).map(({ message }) => message),
      ['state unavailable', 'state available again'],
    )
    const now = await scrape(place.adminPort, headers)
    assert.equal(now.value('alta_auth_state_usable'), 1)
    await until(
      'what was opened meanwhile to be written',
      async () => (await scrape(place.adminPort, headers)).value('alta_auth_state_waiting') === 0,
    )
    assert.ok(
      (await scrape(place.adminPort, headers)).value('alta_auth_state_seconds_count', { command: 'write' }) >=
        1,
    )
  })

  test('null where there is none', async (t) => {
    const place = await makePlace(t)
    await startGate(t, { ...place.environment, STATE_URL: 'off' })
    assert.equal((await readyzOf(place.adminPort)).state, null)
  })
})
