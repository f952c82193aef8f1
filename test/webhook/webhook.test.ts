import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { askAdmin } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { findFreePort } from '../support/free-port.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { forSuite, type Scope, suiteScope } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

/** Milliseconds. Sweeps for silent sessions are 5 s apart, batches 1 s, and the machine may be busy. */
const PATIENCE = 30_000

const opening = '/live/news/index.m3u8?token=SECRET'
const segment = '/live/news/1.ts'

/** A session that is to end, and who can end it. */
interface Ending {
  readonly gate: Gate
  readonly backend: Backend
  /** Of the session. */
  readonly id: string
}

// Most of it is waiting for sessions to go silent.
describe('starts and ends of sessions reach the receiver', { concurrency: true }, () => {
  const backend = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    backend.answer = hasToken('SECRET')
    return backend
  })

  const settingsFor = ({ port }: Receiver): Environment => ({
    BACKEND_URL: `${backend.url}/auth`,
    EVENTS_URL: `http://billing:pass%20word@127.0.0.1:${port}/events?from=edge`,
  })

  const start = (receiver: Receiver, environment: Environment, to: Scope): Promise<Gate> =>
    startGate(to, { ...settingsFor(receiver), ...environment })

  const play = (gate: Gate, userAgent: string, uri = opening, more = {}) =>
    askGate(gate.port, { uri, userAgent, ...more })

  test('of a viewer who plays through nginx, with all that is known of them', async (t) => {
    const receiver = await startReceiver(t)
    const site = await startSite(t, {
      environment: {
        SESSION_IDLE: '1s',
        CHANNEL_PATTERN: '^/live/([^/]+)/',
        EVENTS_URL: `http://127.0.0.1:${receiver.port}/events`,
      },
      nginx: { files: { '/live/news/index.m3u8': '#EXTM3U\n', '/live/news/1.ts': 'x' } },
    })
    site.backend.answer = status(200, { 'X-UserId': 'user-7' })
    const began = Date.now()
    const viewer = createViewer(t, site.nginx)
    assert.equal(await viewer.get(opening), 200)
    assert.equal(await viewer.get(segment), 200)
    await until('the end', () => receiver.end(viewer.userAgent) !== undefined, PATIENCE)

    const end = receiver.end(viewer.userAgent)
    assert.ok(end !== undefined)
    const { session, start, lastRequest, end: ended, ...known } = end
    assert.deepEqual(known, {
      event: 'end',
      user: 'user-7',
      channel: 'news',
      address: '127.0.0.1',
      origin: `http://localhost:${site.nginx.port}`.replace('localhost', '127.0.0.1'),
      path: '/live/news/index.m3u8',
      userAgent: viewer.userAgent,
      provisional: false,
      part: 1,
      requests: 2,
      reason: 'idle',
    })
    assert.equal(session, site.backend.asked.at(-1)?.headers['X-Session-Id'])
    const times = [start, lastRequest, ended].map((time) => Date.parse(time))
    assert.ok((times[0] ?? 0) >= began - 1_000 && (times[2] ?? 0) <= Date.now() + 1_000)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    const { event, lastRequest: _, end: __, requests, reason, ...first } = end
    assert.deepEqual(receiver.start(viewer.userAgent), { ...first, event: 'start' })
  })

  test('with user and password, as JSON, and with no token', async (t) => {
    const receiver = await startReceiver(t)
    const gate = await start(receiver, {}, t)
    const userAgent = newViewer()
    assert.equal((await play(gate, userAgent)).status, 200)
    await until('the start', () => receiver.start(userAgent) !== undefined, PATIENCE)
    for (const { method, target, headers, text } of receiver.posts) {
      assert.equal(method, 'POST')
      assert.equal(target, '/events?from=edge')
      assert.equal(headers['content-type'], 'application/json')
      assert.equal(headers.authorization, `Basic ${Buffer.from('billing:pass word').toString('base64')}`)
      assert.doesNotMatch(text, /SECRET|token/)
    }
    assert.doesNotMatch(gate.logText(), /SECRET|pass.word|from=edge/)
  })

  const soon = { ALLOW_TTL: '1ms', STALE_TTL: '1ms', DENY_TTL: '1ms', DEFAULT_TTL: '1ms' }
  const endings: readonly (readonly [string, Environment, (one: Ending) => unknown])[] = [
    ['denied', { ALLOW_TTL: '1ms' }, ({ backend }) => Object.assign(backend, { answer: status(403) })],
    ['expired', soon, ({ backend }) => backend.stop()],
    ['evicted', { MAX_SESSIONS: '1' }, ({ gate }) => play(gate, newViewer())],
    ['closed', {}, ({ gate, id }) => askAdmin({ port: gate.adminPort }, `DELETE /sessions/${id}`)],
  ]
  for (const [reason, settings, end] of endings)
    test(`with the reason: ${reason}`, async (t) => {
      const [receiver, backend] = [await startReceiver(t), await startBackend(t)]
      const own = { BACKEND_URL: backend.url, ADMIN_LISTEN: '127.0.0.1:0', ...settings }
      const gate = await start(receiver, own, t)
      const viewer = newViewer()
      const { sessionId: id } = await play(gate, viewer)
      await end({ gate, backend, id })
      const isOver = async (): Promise<boolean> => {
        await play(gate, viewer, segment)
        return receiver.end(viewer) !== undefined
      }
      await until('the end', isOver, PATIENCE)
      assert.deepEqual([receiver.end(viewer)?.reason, receiver.end(viewer)?.session], [reason, id])
    })

  test('a viewer let in by the default action is reported as provisional, and later is not', async (t) => {
    const receiver = await startReceiver(t)
    const port = await findFreePort()
    const gate = await start(
      receiver,
      {
        BACKEND_URL: `http://127.0.0.1:${port}/auth`,
        DEFAULT_ACTION: 'allow',
        DEFAULT_TTL: '1ms',
        SESSION_IDLE: '3s',
      },
      t,
    )
    const userAgent = newViewer()
    assert.equal((await play(gate, userAgent)).source, 'default')
    await until('the start', () => receiver.start(userAgent)?.provisional === true, PATIENCE)
    await startBackend(t, port)
    await until('the backend', async () => (await play(gate, userAgent)).source === 'session', PATIENCE)
    await until('the end', () => receiver.end(userAgent) !== undefined, PATIENCE)
    assert.equal(receiver.end(userAgent)?.provisional, false)
    assert.equal(receiver.events(userAgent).length, 2)
  })

  test('an interim tells that a session plays, and when it was last requested', async (t) => {
    const receiver = await startReceiver(t)
    const gate = await start(receiver, { EVENTS_INTERIM: '1s' }, t)
    const userAgent = newViewer()
    const interims = () => receiver.events(userAgent).filter(({ event }) => event === 'interim')
    await until(
      'two interims',
      async () => {
        await play(gate, userAgent)
        return interims().length >= 2
      },
      PATIENCE,
    )
  })

  test('each start of the gate has an id of its own, and tells that it has started', async (t) => {
    const receiver = await startReceiver(t)
    for (const count of [1, 2]) {
      const gate = await start(receiver, {}, t)
      await until('the post', () => receiver.posts.length === count, PATIENCE)
      await gate.service.stop()
    }
    const [first, second] = receiver.posts.map(({ batch }) => batch)
    assert.deepEqual(
      [first, second].map((batch) => batch?.events.map(({ event }) => event)),
      [['gate-started'], ['gate-started']],
    )
    assert.notEqual(first?.gate, second?.gate)
    assert.match(first?.gate ?? '', /^[\w-]{22}$/)
  })
})

describe('a receiver in trouble', { concurrency: true }, () => {
  const backend = forSuite((scope) => startBackend(scope))

  const start = (t: TestContext, port: number, environment: Environment = {}): Promise<Gate> =>
    startGate(t, {
      BACKEND_URL: `${backend.url}/auth`,
      EVENTS_URL: `http://127.0.0.1:${port}/events`,
      ...environment,
    })

  const messages = (gate: Gate): unknown[] =>
    gate.log.map(({ message }) => message).filter((message) => String(message).startsWith('events'))

  test('is away at first, and again later: nothing is lost, each event comes once and in order', async (t) => {
    const port = await findFreePort()
    const gate = await start(t, port)
    const viewers: string[] = []
    const open = async (): Promise<void> => {
      const userAgent = newViewer()
      viewers.push(userAgent)
      assert.equal((await askGate(gate.port, { userAgent })).status, 200)
    }
    const seen = (receiver: Receiver): unknown[] =>
      receiver.events().flatMap((event) => ('userAgent' in event ? [event.userAgent] : []))

    for (let n = 0; n < 20; n++) await open()
    await until('the warning', () => messages(gate).includes('events undelivered'), PATIENCE)
    for (let n = 0; n < 20; n++) await open()
    const first = await startReceiver(t, { port })
    await until('all of them', () => seen(first).length === 40, PATIENCE)
    assert.deepEqual(seen(first), viewers)

    await first.stop()
    for (let n = 0; n < 20; n++) await open()
    await until('the next warning', () => messages(gate).length === 3, PATIENCE)
    const second = await startReceiver(t, { port })
    await until('the rest', () => seen(second).length === 20, PATIENCE)
    assert.deepEqual(seen(second), viewers.slice(40))
    await until('the last line', () => messages(gate).length === 4, PATIENCE)
    assert.deepEqual(messages(gate), [
      'events undelivered',
      'events delivered again',
      'events undelivered',
      'events delivered again',
    ])
  })

  test('takes posts and says nothing: the gate answers all the while', async (t) => {
    const receiver = await startReceiver(t)
    const held: ServerResponse[] = []
    receiver.answer = (response) => void held.push(response)
    const gate = await start(t, receiver.port)
    await until('the post to be held', () => held.length === 1, PATIENCE)
    // More than one post can hold. They are decided one after the other while the receiver holds its answer
    // back.
    const viewers = Array.from({ length: 600 }, newViewer)
    for (const userAgent of viewers) {
      const { reason } = await askGate(gate.port, { userAgent })
      assert.equal(reason, 'backend-200')
    }
    assert.deepEqual(receiver.events(), [])
    receiver.answer = (response) => void response.end()
    for (const response of held) response.end()
    await until('all of them', () => viewers.every((one) => receiver.start(one) !== undefined), PATIENCE)
  })

  test('redirects: it is not followed there, and the line about it holds no secret', async (t) => {
    const elsewhere = await startReceiver(t)
    const receiver = await startReceiver(t)
    receiver.answer = (response) =>
      void response.writeHead(307, { Location: `http://127.0.0.1:${elsewhere.port}/events` }).end()
    const url = `http://billing:SECRET@127.0.0.1:${receiver.port}/events?key=SECRET`
    const gate = await start(t, receiver.port, { EVENTS_URL: url })
    await until('two attempts', () => receiver.posts.length >= 2, PATIENCE)
    assert.equal(elsewhere.posts.length, 0)
    const [line] = gate.log.filter(({ message }) => message === 'events undelivered')
    assert.equal(line?.['status'], 307)
    assert.equal(line?.['receiver'], `http://127.0.0.1:${receiver.port}/events`)
    assert.doesNotMatch(gate.logText(), /SECRET/)
  })

  test('hangs when the gate ends: the end is not held up by it for long, and the loss is told', async (t) => {
    const receiver = await startReceiver(t)
    receiver.answer = () => {}
    const gate = await start(t, receiver.port)
    await until('the post to be held', () => receiver.posts.length === 1, PATIENCE)
    const patience = new AbortController()
    const late = delay(PATIENCE, 'late', { signal: patience.signal }).catch(() => 'late')
    assert.equal(await Promise.race([gate.service.stop().then(() => 'stopped'), late]), 'stopped')
    patience.abort()
    const [line] = gate.log.filter(({ message }) => message === 'events lost')
    assert.deepEqual(line?.['events'], 1)
  })

  test('what waits is sent when the gate ends', async (t) => {
    const receiver = await startReceiver(t)
    const gate = await start(t, receiver.port)
    await until('the first post', () => receiver.posts.length === 1, PATIENCE)
    const userAgent = newViewer()
    await askGate(gate.port, { userAgent })
    await gate.service.stop()
    assert.ok(receiver.start(userAgent) !== undefined)
  })
})

describe('over https', () => {
  const scope = suiteScope()
  const names = 'DNS:localhost,IP:127.0.0.1'
  const folder = makeTemporaryFolder(scope)

  test('with a certificate of an authority of your own', async (t) => {
    const authority = makeAuthority(folder, 'own')
    const backend = await startBackend(t)
    const receiver = await startReceiver(t, { tls: authority.issue(names) })
    await startGateProcess(t, {
      BACKEND_URL: `${backend.url}/auth`,
      EVENTS_URL: `https://localhost:${receiver.port}/events`,
      NODE_EXTRA_CA_CERTS: authority.file,
      // Neither may open this connection, nor lead away from it.
      HTTPS_PROXY: 'http://127.0.0.1:1',
      HTTP_PROXY: 'http://127.0.0.1:1',
    })
    await until('the first post', () => receiver.events().length === 1, PATIENCE)
  })

  test('a certificate that nobody vouches for gets nothing', async (t) => {
    const backend = await startBackend(t)
    const receiver = await startReceiver(t, { tls: makeSelfSigned(folder, names) })
    const { main } = await startGateProcess(t, {
      BACKEND_URL: `${backend.url}/auth`,
      EVENTS_URL: `https://localhost:${receiver.port}/events`,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    })
    await until('the warning', () => main.stdout().includes('"events undelivered"'), PATIENCE)
    assert.match(main.stdout(), /"message":"events undelivered".*"reason":"tls"/)
    assert.equal(receiver.posts.length, 0)
  })
})
