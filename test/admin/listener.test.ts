import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { before, describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'
import type { Log } from '../../src/log/log.ts'
import { createService } from '../../src/service/service.ts'
import { startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { startMain } from '../support/main-process.ts'
import { suiteScope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { wordsOf } from '../support/words.ts'

interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly defaultAction: string
  readonly backends: readonly { name: string; state: string; reason?: string; seconds?: number }[]
  readonly sessions: { live: number; provisional: number; denied: number }
  readonly internalErrors: number
}

async function readiness(port: number): Promise<Readiness> {
  const answer = await get({ port }, '/readyz')
  assert.equal(answer.status, 200)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
  return JSON.parse(answer.body) as Readiness
}

const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {}, debugs: false }

/** The TCP ports on which a process listens, as Linux shows them. */
function portsOf(pid: number): number[] {
  const folder = `/proc/${pid}/fd`
  const open = new Set(readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`)))
  return ['tcp', 'tcp6'].flatMap((family) => {
    const lines = readFileSync(`/proc/${pid}/net/${family}`, 'utf8').trim().split('\n').slice(1)
    const rows = lines.map((line) => line.trim().split(/\s+/))
    const listening = rows.filter((row) => row[3] === '0A' && open.has(`socket:[${row[9]}]`))
    return listening.map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16))
  })
}

describe('the admin listener', () => {
  const scope = suiteScope()
  let adminPort: number
  before(async () => {
    const backend = await startBackend(scope)
    adminPort = (await startAdminGate(scope, { BACKEND_URL: backend.url })).adminPort
  })

  test('/healthz is 200 while the process lives', async () => {
    const answer = await get({ port: adminPort }, '/healthz')
    assert.equal(answer.status, 200)
    assert.deepEqual(JSON.parse(answer.body), { alive: true })
  })

  test('/readyz is 200 before anybody was asked', async () => {
    const { ready, reasons, defaultAction, backends, sessions, internalErrors } = await readiness(adminPort)
    assert.equal(ready, true)
    assert.deepEqual(reasons, [])
    assert.equal(defaultAction, 'deny')
    assert.deepEqual(
      backends.map(({ state }) => state),
      ['unasked'],
    )
    assert.deepEqual(sessions, { live: 0, provisional: 0, denied: 0 })
    assert.equal(internalErrors, 0)
  })

  for (const path of wordsOf(`
    /auth /metrics/x /healthz/x /Healthz /readyz/ // /..%2f /readyz%00`)) {
    test(`${path} is 404 and tells what there is`, async () => {
      const answer = await get({ port: adminPort }, path)
      assert.equal(answer.status, 404)
      assert.match(answer.body, /\/healthz.*\/readyz.*\/sessions.*\/events/)
      assert.equal(answer.headers['x-powered-by'], undefined)
    })
  }

  test('is not the gate: verdicts are given on the gate only', async (t) => {
    const backend = await startBackend(t)
    const { gate } = await startAdminGate(t, { BACKEND_URL: backend.url })
    for (const path of ['/healthz', '/readyz']) {
      assert.equal((await get({ port: gate.port }, path)).status, 403)
    }
  })
})

describe('/readyz', () => {
  test('counts sessions and denies', async (t) => {
    const backend = await startBackend(t)
    const { gate, adminPort } = await startAdminGate(t, { BACKEND_URL: backend.url })
    await askGate(gate.port, { uri: '/a/index.m3u8?token=1' })
    await askGate(gate.port, { uri: '/b/index.m3u8?token=1' })
    backend.answer = status(403)
    await askGate(gate.port, { uri: '/c/index.m3u8?token=1' })
    const { sessions, backends } = await readiness(adminPort)
    assert.deepEqual(sessions, { live: 2, provisional: 0, denied: 1 })
    const rest = { breaker: 'closed', inFlight: 0, places: 64, waiting: 0 }
    assert.deepEqual(backends, [{ name: `${backend.url}/`, state: 'answers', ...rest }])
  })

  test('is 200 with the backend down, and tells why and since when', async (t) => {
    const port = await findFreePort()
    const { gate, adminPort } = await startAdminGate(t, {
      BACKEND_URL: `http://127.0.0.1:${port}/auth`,
      DEFAULT_ACTION: 'allow',
    })
    assert.equal((await askGate(gate.port)).status, 200)
    const { ready, backends, sessions, defaultAction } = await readiness(adminPort)
    assert.equal(ready, true)
    assert.equal(defaultAction, 'allow')
    const [{ seconds, ...backend } = { name: '', state: '' }] = backends
    assert.deepEqual(backend, {
      name: `http://127.0.0.1:${port}/auth`,
      state: 'unavailable',
      reason: 'refused',
      why: 'nothing listens where the backend should be, or there is no route to it',
      breaker: 'closed',
      inFlight: 0,
      places: 64,
      waiting: 0,
    })
    assert.ok(seconds !== undefined && seconds >= 0 && seconds < 20, String(seconds))
    assert.deepEqual(sessions, { live: 0, provisional: 1, denied: 0 })
  })

  test('tells when the backend answers again', async (t) => {
    const port = await findFreePort()
    const { gate, adminPort } = await startAdminGate(t, { BACKEND_URL: `http://127.0.0.1:${port}/auth` })
    await askGate(gate.port)
    assert.equal((await readiness(adminPort)).backends[0]?.state, 'unavailable')
    await startBackend(t, port)
    let count = 0
    // A second without a failure has to pass first.
    await until('the backend to count as answering', async () => {
      await askGate(gate.port, { uri: `/${count++}/index.m3u8?token=1` })
      return (await readiness(adminPort)).backends[0]?.state === 'answers'
    })
  })

  test('tells each of several backends', async (t) => {
    const backend = await startBackend(t)
    const down = `http://127.0.0.1:${await findFreePort()}`
    const { gate, adminPort } = await startAdminGate(t, { BACKEND_URL: `${down} ${backend.url}` })
    await askGate(gate.port)
    const { backends } = await readiness(adminPort)
    assert.deepEqual(
      backends.map(({ state }) => state),
      ['unavailable', 'answers'],
    )
  })

  test('is 503 with the reason while the gate does not listen yet', async (t) => {
    const result = readSettings({ BACKEND_URL: 'http://127.0.0.1:9/auth' })
    assert.ok(result.ok)
    const { adminServer, stop } = createService(result.settings, silentLog)
    t.after(stop)
    assert.ok(adminServer !== undefined)
    await new Promise<void>((resolve) => adminServer.listen(0, '127.0.0.1', resolve))
    const { port } = adminServer.address() as AddressInfo
    const { status: code, body } = await get({ port }, '/readyz')
    assert.equal(code, 503)
    assert.match(body, /"ready":false,"reasons":\["the gate is not listening yet"\]/)
    assert.equal((await get({ port }, '/healthz')).status, 200)
  })

  test('is 503 with the reason while the service is stopping', async (t) => {
    const backend = await startBackend(t)
    const { gate, adminPort } = await startAdminGate(t, { BACKEND_URL: backend.url })
    backend.answer = () => {}
    const inFlight = askGate(gate.port)
    await until('the question', () => backend.asked.length === 1)
    // The listener is closed at once. Only connections from before can still ask.
    let received = ''
    const probe = connect(adminPort, '127.0.0.1').setEncoding('utf8')
    probe.on('data', (text: string) => {
      received += text
    })
    t.after(() => probe.destroy())
    probe.write('GET /readyz HTTP/1.1\r\nHost: a\r\n')
    await until('the connection', async () => {
      const { adminServer } = gate.service
      return new Promise((resolve) => adminServer?.getConnections((_, count) => resolve(count === 1)))
    })

    const stopped = gate.service.stop()
    probe.write('Connection: close\r\n\r\n')
    await until('the answer', () => received.includes('\r\n\r\n'))
    assert.match(received, /^HTTP\/1\.1 503 /)
    assert.match(received, /"ready":false,"reasons":\["the service is stopping"\]/)
    await Promise.all([stopped, inFlight])
  })
})

describe('ADMIN_LISTEN=off', () => {
  test('opens no second listener', async (t) => {
    const backend = await startBackend(t)
    const gate = await startGate(t, { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off' })
    assert.equal(gate.service.adminServer, undefined)
    assert.equal((await askGate(gate.port)).status, 200)
  })

  test('the process listens for the gate and for nothing else', async (t) => {
    const port = await findFreePort()
    const environment = { BACKEND_URL: 'http://127.0.0.1:9/auth', LISTEN: `127.0.0.1:${port}` }
    const main = startMain(t, { ...environment, ADMIN_LISTEN: 'off' })
    await main.listening()
    assert.deepEqual(portsOf(main.pid), [port])
    assert.match(main.stdout(), /"admin":"off"/)
  })
})
