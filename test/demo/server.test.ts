import assert from 'node:assert/strict'
import { appendFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { followLog } from '../../demo/follow-log.ts'
import { readLoggedDecision } from '../../demo/logged-decision.ts'
import { createPageServer } from '../../demo/page-server.ts'
import { startChild } from '../support/child.ts'
import { request } from '../support/client.ts'
import { readEvents } from '../support/event-reader.ts'
import { findFreePort } from '../support/free-port.ts'
import { get } from '../support/http-get.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const decided = (path: string, session = 'abc'): string =>
  `127.0.0.1 [24/Nov/2026:13:25:42 +0200] "GET ${path}" 200 12 ` +
  `verdict=allow source=session reason=riding session=${session} user=- request=4fd6ba3 "Mozilla/5.0"\n`

/** A page server on a port of its own, with controls that record what they are called with. */
async function startPageServer(scope: Scope, settings: { readonly controls: boolean }) {
  const accessLog = join(makeTemporaryFolder(scope), 'access.log')
  const told: string[] = []
  const tell = (what: string) => async (): Promise<void> => void told.push(what)
  const controls = {
    backend: 'running',
    defaultAction: 'deny',
    stopBackend: tell('stop'),
    startBackend: tell('start'),
    setDefaultAction: (action: string) => tell(action)(),
  } as const
  const { server, end } = createPageServer({ accessLog, ...(settings.controls ? { controls } : {}) })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  scope.after(end)
  return { port: (server.address() as AddressInfo).port, accessLog, told }
}

describe('what the buttons do', () => {
  const stop = 'POST /demo/backend/stop'
  /** `HOST` is the server's own host and port; the first of the headers is `Host`. */
  const rows: readonly (readonly [what: string, line: string, headers: string, status: number])[] = [
    ['the page itself', stop, 'HOST; Origin: http://HOST', 200],
    ['curl, without an origin', stop, 'HOST', 200],
    ['another website', stop, 'HOST; Origin: https://evil.example', 403],
    ['another port of this machine', stop, 'HOST; Origin: http://127.0.0.1:1', 403],
    ['a sandboxed frame', stop, 'HOST; Origin: null', 403],
    ['a form of another site, said otherwise', stop, 'HOST; Sec-Fetch-Site: cross-site', 403],
    ['a name that means 127.0.0.1 since a moment', stop, 'evil.example; Origin: http://evil.example', 403],
    ['that name, reading', 'GET /demo/state', 'evil.example', 403],
    ['that name, listening', 'GET /demo/events', 'evil.example', 403],
    ['a name that starts like ours', 'GET /demo/state', '127.0.0.1.evil.example', 403],
    ['an image or a link', 'GET /demo/backend/stop', 'HOST', 405],
    ['localhost', 'GET /demo/state', 'localhost:8080', 200],
    ['a name of the language', 'POST /demo/constructor', 'HOST', 404],
    ['another path', 'GET /demo/', 'HOST', 404],
  ]
  for (const [what, line, lines, status] of rows) {
    test(`${what}: ${line} is ${status}`, async (t) => {
      const { port, told } = await startPageServer(t, { controls: true })
      const [method = '', target = ''] = line.split(' ')
      const [host, ...headers] = lines.replaceAll('HOST', `127.0.0.1:${port}`).split('; ')
      const answer = await request({ port, target, method, host: `Host: ${host}`, headers })
      assert.equal(answer.status, status)
      assert.deepEqual(told, method === 'POST' && status === 200 ? ['stop'] : [])
    })
  }

  test('each one moves its own part', async (t) => {
    const { port, told } = await startPageServer(t, { controls: true })
    for (const path of ['backend/stop', 'backend/start', 'default-action/allow', 'default-action/deny']) {
      const answer = await request({ port, target: `/demo/${path}`, method: 'POST' })
      assert.equal(answer.status, 200)
    }
    assert.deepEqual(told, ['stop', 'start', 'allow', 'deny'])
    const { body } = await get({ port }, '/demo/state')
    assert.deepEqual(JSON.parse(body), { controls: true, backend: 'running', defaultAction: 'deny' })
  })

  test('without controls there are none', async (t) => {
    const { port } = await startPageServer(t, { controls: false })
    assert.deepEqual(JSON.parse((await get({ port }, '/demo/state')).body), { controls: false })
    const answer = await request({ port, target: '/demo/backend/stop', method: 'POST' })
    assert.equal(answer.status, 404)
  })
})

describe('the decisions', () => {
  test('a line of the shipped format is read', () => {
    assert.deepEqual(readLoggedDecision(decided('/live/a b/index.m3u8').trim()), {
      time: '2026-11-24T11:25:42.000Z',
      verdict: 'allow',
      source: 'session',
      reason: 'riding',
      session: 'abc',
      path: '/live/a b/index.m3u8',
      status: 200,
    })
    assert.equal(readLoggedDecision(decided('/x', '-').trim())?.session, '')
  })

  test('what was not decided about, and what is no such line, is left out', () => {
    for (const line of ['', 'nonsense', decided('/x').replace('verdict=allow', 'verdict=-')]) {
      assert.equal(readLoggedDecision(line), undefined)
    }
  })

  test('come as events, and a page that comes back is told what it has missed', async (t) => {
    const { port, accessLog } = await startPageServer(t, { controls: false })
    const first = await readEvents(t, port, '/demo/events')
    await until('the state', () => first.events.length === 1)
    assert.deepEqual([first.events[0]?.name, first.events[0]?.data], ['state', { controls: false }])
    appendFileSync(accessLog, decided('/one') + decided('/two'))
    await until('two decisions', () => first.events.length === 3)
    const paths = (events: typeof first.events): unknown[] =>
      events.filter(({ name }) => name === 'decision').map(({ data }) => (data as { path: string }).path)
    assert.deepEqual(paths(first.events), ['/one', '/two'])

    const back = await readEvents(t, port, '/demo/events', { 'Last-Event-ID': first.events[1]?.id ?? '' })
    const fresh = await readEvents(t, port, '/demo/events')
    await until('what was missed', () => back.events.length === 2 && fresh.events.length === 3)
    assert.deepEqual(paths(back.events), ['/two'])
    assert.deepEqual(paths(fresh.events), ['/one', '/two'])
  })
})

describe('the log is followed', () => {
  const follow = (scope: Scope, file: string): string[] => {
    const lines: string[] = []
    scope.after(followLog(file, (line) => void lines.push(line)))
    return lines
  }

  test('from its end on, line by line, whatever pieces they are written in', async (t) => {
    const file = join(makeTemporaryFolder(t), 'log')
    writeFileSync(file, 'old\n')
    const lines = follow(t, file)
    appendFileSync(file, 'a\nb')
    await until('a', () => lines.length === 1)
    appendFileSync(file, 'c\n')
    await until('bc', () => lines.length === 2)
    assert.deepEqual(lines, ['a', 'bc'])
  })

  test('when it appears later, is cut off, or is replaced', async (t) => {
    const file = join(makeTemporaryFolder(t), 'log')
    const lines = follow(t, file)
    writeFileSync(file, 'first\n')
    await until('the new file', () => lines.length === 1)
    truncateSync(file)
    appendFileSync(file, '2\n')
    await until('the cut file', () => lines.length === 2)
    writeFileSync(`${file}.new`, 'the third one\n')
    renameSync(`${file}.new`, file)
    await until('the other file', () => lines.length === 3)
    assert.deepEqual(lines, ['first', '2', 'the third one'])
  })
})

describe('demo/serve-page.ts', () => {
  const program = fileURLToPath(new URL('../../demo/serve-page.ts', import.meta.url))
  const start = (scope: Scope, settings: Readonly<Record<string, string>>) => {
    const env = { PATH: process.env['PATH'] ?? '', ...settings }
    return startChild(scope, process.execPath, ['--import', 'tsx', program], { env })
  }

  test('fills the document root, tells the decisions and ends at once', async (t) => {
    const folder = makeTemporaryFolder(t)
    const [root, accessLog, port] = [join(folder, 'www'), join(folder, 'access.log'), await findFreePort()]
    const child = start(t, { DOCUMENT_ROOT: root, ACCESS_LOG: accessLog, LISTEN: `127.0.0.1:${port}` })
    await until('it to listen', () => child.output().includes('the decisions are at'), 30_000)
    for (const file of ['index.html', 'page.js', 'base.css', 'page.css', 'hls.js', 'live/test/index.m3u8']) {
      assert.ok(existsSync(join(root, file)), file)
    }
    const listening = await readEvents(t, port, '/demo/events')
    appendFileSync(accessLog, decided('/one'))
    await until('the decision', () => listening.events.length === 2)
    child.process.kill('SIGTERM')
    assert.equal(await child.exited, 0)
  })

  const noRoot = { DOCUMENT_ROOT: '/dev/null/www' }
  const here = { ...noRoot, ACCESS_LOG: '/x', LISTEN: 'here' }
  for (const [what, settings, sentence] of [
    ['no document root', {}, /^demo: DOCUMENT_ROOT is not set: .*\n$/],
    ['no log', noRoot, /^demo: ACCESS_LOG is not set: .*\n$/],
    ['a root that cannot be written', { ...noRoot, ACCESS_LOG: '/x' }, /^demo: \/dev\/null\/www cannot be /],
    ['an address without a port', here, /^demo: LISTEN is "here": .*\n$/],
  ] as const) {
    test(`${what} is one sentence`, async (t) => {
      const child = start(t, settings)
      assert.equal(await child.exited, 1)
      assert.match(child.output(), sentence)
      assert.equal(child.output().split('\n').length, 2)
    })
  }
})
