import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDecisionLog } from '../../src/log/decision-log.ts'
import type { Decision } from '../../src/verdict.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { readPage } from '../support/documentation/pages.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { accessLineOf, newViewer, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

type Line = Readonly<Record<string, unknown>>

const decisionMessages = ['decided', 're-checked', 'refused', 'repeated']
const decisionsOf = ({ log }: Gate): Line[] =>
  log.filter(({ message }) => decisionMessages.includes(String(message)))
const messagesOf = (gate: Gate): unknown[] => decisionsOf(gate).map(({ message }) => message)

const id = '5d1f4a6b0c7e4b6f9a3c2d1e0f9b8a76'

describe('the log has one line for each decision that was made', () => {
  test('whatever the mixture', async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const gate = await startGate(t, { BACKEND_URL: backend.url, LOG_LEVEL: 'info', ALLOW_TTL: '1ms' })
    const userAgent = newViewer()
    const ask = (uri: string, more = {}) => askGate(gate.port, { uri, userAgent, ...more })

    await ask('/live/one/index.m3u8?token=good')
    await ask('/live/one/index.m3u8?token=bad')
    // Known: they are repeated, and the first of them starts a re-check.
    for (let n = 0; n < 5; n++) await ask('/live/one/index.m3u8?token=bad')
    await ask('/live/one/1.ts')
    await until('the re-check', () => messagesOf(gate).includes('re-checked'))
    await ask('/live/two/index.m3u8?token=good', { address: 'nonsense' })
    await ask('/live/two/index.m3u8')
    assert.deepEqual(messagesOf(gate).sort(), ['decided', 'decided', 'decided', 're-checked', 'refused'])
    assert.equal(backend.asked.length, 4, 'as many as were asked')
  })
})

describe("nginx's request id", () => {
  test('is the same in both logs, and no other line has it', async (t) => {
    const files = { '/live/one/index.m3u8': '#EXTM3U\n', '/live/one/1.ts': 'x' }
    const site = await startSite(t, { nginx: { files } })
    const seen = new Set<string>()
    for (const target of ['/live/one/index.m3u8?token=1', '/live/one/1.ts', '/live/one/index.m3u8?token=1']) {
      const { get, userAgent } = createViewer(t, site.nginx)
      assert.equal(await get(target), 200)
      const line = await accessLineOf(site.nginx, userAgent)
      const [, request = ''] = / request=([0-9a-f]{32}) "/.exec(line) ?? []
      const [decision, ...others] = site.gate.log.filter(({ request: one }) => one === request)
      assert.equal(others.length, 0)
      assert.ok(decision !== undefined, line)
      assert.ok(line.includes(` session=${decision['session']} `), line)
      seen.add(request)
    }
    assert.equal(seen.size, 3)
  })

  test('is in the line of a request that was refused', async (t) => {
    const gate = await startGate(t, { BACKEND_URL: 'http://127.0.0.1:9/' })
    await askGate(gate.port, { address: 'nonsense', requestId: id })
    assert.deepEqual(
      decisionsOf(gate).map(({ message, request }) => [message, request]),
      [['refused', id]],
    )
  })

  test('counts for nothing else: two requests that differ in it alone share a verdict', async (t) => {
    const backend = await startBackend(t)
    const gate = await startGate(t, { BACKEND_URL: backend.url })
    for (const requestId of ['a', 'b', '']) await askGate(gate.port, { requestId })
    assert.deepEqual(messagesOf(gate), ['decided', 'repeated', 'repeated'])
    assert.doesNotMatch(JSON.stringify(backend.asked), /request/i)
  })

  test('is left out where it has another shape, and of a re-check', async (t) => {
    const backend = await startBackend(t)
    const gate = await startGate(t, { BACKEND_URL: backend.url, ALLOW_TTL: '1ms' })
    for (const requestId of ['a b', 'a"b', 'a,b', 'é', 'x'.repeat(65)])
      assert.equal((await askGate(gate.port, { requestId, userAgent: newViewer() })).verdict, 'allow')
    await until('the re-check', async () => {
      await askGate(gate.port, { requestId: id, userAgent: 'again' })
      return messagesOf(gate).includes('re-checked')
    })
    const told = (wanted: string): unknown[] =>
      decisionsOf(gate).flatMap(({ message, request }) => (message === wanted ? [request] : []))
    assert.deepEqual(told('decided'), [undefined, undefined, undefined, undefined, undefined, id])
    assert.deepEqual([...new Set(told('re-checked'))], [undefined])
    assert.deepEqual([...new Set(told('repeated'))], [id])
  })
})

describe('LOG_LEVEL=debug writes a sample of what is repeated', () => {
  const decision: Decision = {
    verdict: 'allow',
    source: 'session',
    reason: 'riding',
    sessionId: 's',
    userId: '',
    holdsFor: 1,
    cacheable: false,
  }

  test('a hundred lines in a second; the next one tells how many were left out', () => {
    let now = 5
    const lines: Line[] = []
    const write = (message: string, fields = {}): void => void lines.push({ message, ...fields })
    const log = { error: write, warn: write, info: write, debug: write, debugs: true }
    const decisions = createDecisionLog(log, () => now, String)
    const repeat = (times: number): void => {
      for (let n = 0; n < times; n++) decisions.repeated(clientRequest('/live/1.ts'), decision)
    }
    repeat(350)
    now += 999
    repeat(1)
    assert.equal(lines.length, 100)
    now += 1
    repeat(2)
    assert.deepEqual(
      lines.flatMap(({ skipped }, place) => (skipped === undefined ? [] : [[place, skipped]])),
      [[100, 251]],
    )
    assert.equal(lines.length, 102)
    now += 60_000
    repeat(100)
    assert.equal(lines.length, 202)
    assert.ok(lines.every(({ message }) => message === 'repeated'))
  })

  test('and none of it otherwise', () => {
    const fail = (): never => assert.fail('a line')
    const log = { error: fail, warn: fail, info: fail, debug: fail, debugs: false }
    createDecisionLog(log, () => 0, String).repeated(clientRequest('/live/1.ts'), decision)
  })
})

test('of the sessions that come back at once after a restart a sample is written, and how many were left out', () => {
  let now = 5
  const lines: Line[] = []
  const write = (message: string, fields = {}): void => void lines.push({ message, ...fields })
  const log = { error: write, warn: write, info: write, debug: write, debugs: false }
  const decisions = createDecisionLog(log, () => now, String)
  const decision: Decision = {
    ...{ verdict: 'allow', source: 'session', reason: 'adopted' },
    ...{ sessionId: 's', userId: '', holdsFor: 1, cacheable: false },
  }
  const subrequest = clientRequest('/live/1.ts')
  const made = { subrequest, decision, backend: '', took: 1 }
  for (let n = 0; n < 10_000; n++) decisions.made({ ...made, occasion: 'return' })
  decisions.made({ ...made, occasion: 'question' })
  assert.equal(lines.filter(({ message }) => message === 'returned').length, 100)
  assert.equal(lines.filter(({ message }) => message === 'decided').length, 1)
  now += 1_000
  decisions.made({ ...made, occasion: 'return' })
  assert.deepEqual([lines.at(-1)?.['message'], lines.at(-1)?.['skipped']], ['returned', 9_900])
  decisions.end()
})

describe('the fields of decision lines', () => {
  test('are those that docs/troubleshooting.md names, and no others', async (t) => {
    const backend = await startBackend(t)
    backend.answer = (_asked, response) => void response.writeHead(200, { 'X-UserId': 'user-7' }).end()
    const gate = await startGate(t, { BACKEND_URL: backend.url, ALLOW_TTL: '1ms' })
    const ask = (requestId: string) => askGate(gate.port, { requestId })
    await ask('a')
    const isSkipped = (): boolean => gate.log.some(({ skipped }) => skipped !== undefined)
    await until('enough to be left out', async () => {
      await Promise.all(Array.from({ length: 150 }, () => ask('b')))
      return isSkipped()
    })
    await askGate(gate.port, { address: 'nonsense' })
    const fields = new Set(decisionsOf(gate).flatMap((line) => Object.keys(line)))
    const heading = "\n## Fields of the gate's log\n"
    const [, section = ''] = readPage('docs/troubleshooting.md').prose.split(heading)
    const rows =
      section
        .split('\n## ')[0]
        ?.split('\n')
        .filter((row) => row.startsWith('| `')) ?? []
    const named = rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1])
    assert.deepEqual(named.toSorted(), [...fields].toSorted())
  })
})
