import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { Environment } from '../../src/config/read-settings.ts'
import type { StoredSession } from '../../src/decision/stored.ts'
import { explainStore } from '../../src/explain/explain-store.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { mainFile } from '../support/main-process.ts'
import { clientRequest, createPretendGate, deny, settled } from '../support/pretend-gate.ts'
import { createPretendStore, storedSession } from '../support/pretend-store.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const playlist = { uri: '/live/news/index.m3u8?token=good' }
const segment = { uri: '/live/news/1.ts' }

async function startPlace(scope: Scope, more: Environment = {}) {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const folder = join(makeTemporaryFolder(scope), 'state')
  const settings = {
    BACKEND_URL: backend.url,
    STATE_URL: `file:${folder}`,
    ADMIN_LISTEN: '127.0.0.1:0',
    ...more,
  }
  return { backend, folder, settings, start: () => startGate(scope, settings) }
}

async function explain({ adminPort }: Gate, { uri }: { uri: string }): Promise<Explanation> {
  const query = new URLSearchParams({ url: `http://live.example.com${uri}`, ip: '192.0.2.1', ua: 'test' })
  return JSON.parse((await get({ port: adminPort }, `/explain?${query}`)).body)
}

/** As `alta-auth explain` shows it. */
async function show(environment: Environment, { uri }: { uri: string }, ...more: string[]): Promise<string> {
  const parameters = [
    'explain',
    `http://live.example.com${uri}`,
    '--ip',
    '192.0.2.1',
    '--ua',
    'test',
    ...more,
  ]
  const env = { PATH: process.env['PATH'], ...environment }
  return (await promisify(execFile)(process.execPath, [mainFile, ...parameters], { env })).stdout
}

describe('explain', () => {
  test('says that an earlier process has opened the session, and changes nothing', async (t) => {
    const { settings, start, backend } = await startPlace(t, { SESSION_IDLE: '10m' })
    const first = await start()
    const { sessionId } = await askGate(first.port, playlist)
    await first.service.stop()
    const gate = await start()
    for (let times = 0; times < 2; times++) {
      const { decision, known } = await explain(gate, segment)
      assert.deepEqual([decision.source, decision.reason], ['session', 'adopted'])
      assert.equal(known?.session?.session, sessionId)
      assert.match(known?.store?.finding ?? '', /^it holds the session, which an earlier process has opened$/)
      const [one] = known?.store?.sessions ?? []
      assert.deepEqual([one?.session, one?.part, one?.silent], [sessionId, 1, false])
      assert.ok(Date.parse(one?.resumableUntil ?? '') > Date.parse(one?.lastRequest ?? ''))
    }
    const shown = await show({ ...settings, ADMIN_LISTEN: `127.0.0.1:${gate.adminPort}` }, segment)
    assert.match(
      shown,
      new RegExp(
        `\\n  the store: it holds the session.*\\n    ${sessionId}: .*, since \\d.*\\n      part 1, last requested \\d.*, to be resumed until \\d.*Z: it plays, and is taken over\\n`,
      ),
    )
    assert.equal((await askGate(gate.port, segment)).reason, 'adopted')
    const after = await explain(gate, segment)
    assert.equal(after.decision.reason, 'riding')
    assert.equal(after.known?.store?.finding, 'this session came back from it (adopted), and is in part 1')
    assert.equal(backend.asked.length, 1)
  })

  test('says that the silent session goes on, and what another channel has of it', async (t) => {
    const { start } = await startPlace(t, { SESSION_IDLE: '1s' })
    const gate = await start()
    await askGate(gate.port, playlist)
    await until(
      'the session to be silent',
      async () => JSON.parse((await get({ port: gate.adminPort }, '/sessions')).body).total === 0,
      30_000,
    )
    const { decision, known } = await explain(gate, segment)
    assert.deepEqual([decision.source, decision.reason], ['session', 'resumed'])
    assert.equal(known?.store?.finding, 'it holds the session, which was silent and goes on')
    assert.deepEqual(
      known?.store?.sessions.map(({ part, silent, finding }) => [part, silent, finding]),
      [[1, true, 'it goes on as part 2']],
    )
    const other = await explain(gate, { uri: '/live/other/1.ts' })
    assert.equal(other.decision.reason, 'backend-403')
    assert.equal(other.known?.store?.sessions[0]?.finding, 'it does not cover this request')
    assert.equal((await askGate(gate.port, segment)).reason, 'resumed')
    assert.match((await explain(gate, segment)).known?.store?.finding ?? '', /\(resumed\), and is in part 2$/)
  })

  test('says that the store cannot be used', async (t) => {
    const { start, settings } = await startPlace(t)
    await start()
    const second = await start()
    const { decision, known } = await explain(second, playlist)
    assert.equal(decision.reason, 'backend-200')
    assert.equal(known?.store?.usable, false)
    assert.match(known?.store?.finding ?? '', /\(in-use\): .*give each gate a folder of its own$/)
    const shown = await show({ ...settings, ADMIN_LISTEN: `127.0.0.1:${second.adminPort}` }, playlist)
    assert.match(shown, /\n {2}the store: nothing that it holds counts now \(in-use\): /)
  })

  test('says nothing of a store where there is none', async (t) => {
    const { start } = await startPlace(t, { STATE_URL: 'off' })
    assert.equal((await explain(await start(), playlist)).known?.store, null)
  })

  test('--direct neither opens the store nor speaks of it', async (t) => {
    const { settings, folder } = await startPlace(t)
    const shown = await show(settings, playlist, '--direct')
    assert.match(shown, /reason +backend-200/)
    assert.doesNotMatch(shown, /store/)
    assert.ok(!existsSync(folder))
  })
})

const HOUR = 3_600_000
const store = {
  state: () => ({ usable: true, since: 0 }),
  standing: () => undefined,
}

describe('why a silent session is not resumed', () => {
  const own = '/live/news/index.m3u8?token=X'
  const cases: readonly (readonly [what: string, one: Partial<StoredSession>, target: string, RegExp])[] = [
    [
      'too long silent',
      { resumableUntil: 60_000 + HOUR, resumeFor: HOUR },
      own,
      /longer than 3600 s, the time that SESSION_RESUME/,
    ],
    [
      'a day after the allow',
      { resumableUntil: 24 * HOUR, resumeFor: 48 * HOUR },
      own,
      /more than a day ago/,
    ],
    [
      'left',
      { resumableUntil: 360_000, resumeFor: HOUR },
      own,
      /left it for another channel, more than 5 minutes/,
    ],
    ['one too many', { resumableUntil: 0 }, own, /three later sessions .* are silent/],
    [
      'no credential',
      { resumableUntil: 99 * HOUR },
      '/live/news/1.ts',
      /without a credential .* its very own URL still may/,
    ],
    ['another channel', { resumableUntil: 99 * HOUR }, '/live/two/1.ts', /does not cover this request/],
  ]
  for (const [what, one, target, finding] of cases) {
    test(what, async () => {
      const stored = createPretendStore()
      const gate = createPretendGate({ stored })
      gate.pass(25 * HOUR)
      gate.answers(deny)
      stored.silent.push(storedSession('one', own, { lastSeen: 60_000 }, one))
      const rehearsal = await gate.rehearse(clientRequest(target))
      assert.equal(rehearsal.decision.reason, 'backend-403')
      const explained = explainStore({ store, toIso: String }, rehearsal, gate.now())
      assert.equal(explained?.sessions.length, 1)
      assert.match(explained?.sessions[0]?.finding ?? '', finding)
    })
  }

  test('the store did not answer in time', async () => {
    const stored = createPretendStore()
    stored.hang()
    const gate = createPretendGate({ stored })
    const rehearsing = gate.rehearse(clientRequest(own))
    await settled()
    gate.pass(1_000)
    const rehearsal = await rehearsing
    assert.equal(rehearsal.decision.reason, 'backend-200')
    const explained = explainStore({ store, toIso: String }, rehearsal, 0)
    assert.deepEqual(explained, { usable: true, finding: 'it did not answer in time', sessions: [] })
  })

  test('until when, also where that was before this process began', async () => {
    const stored = createPretendStore()
    stored.silent.push(storedSession('one', own, { lastSeen: -2 * HOUR }))
    const gate = createPretendGate({ stored })
    gate.answers(deny)
    const rehearsal = await gate.rehearse(clientRequest(own))
    const explained = explainStore({ store, toIso: String }, rehearsal, 0)
    assert.equal(explained?.sessions[0]?.resumableUntil, String(-HOUR))
  })

  test('nothing: what was closed or denied is gone', async () => {
    const gate = createPretendGate({ stored: createPretendStore() })
    const rehearsal = await gate.rehearse(clientRequest(own))
    assert.match(
      explainStore({ store, toIso: String }, rehearsal, 0)?.finding ?? '',
      /closed, denied or silent/,
    )
  })
})
