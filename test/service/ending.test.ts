import assert from 'node:assert/strict'
import { Agent, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { startBackend } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { getVerdict } from '../support/http-get.ts'
import { type Main, startMain } from '../support/main-process.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** Milliseconds past the deadline of a question within which the process must have ended. */
const MARGIN = 1_000

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1')
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

describe('ending', () => {
  const backend = forSuite((scope) => startBackend(scope))

  async function start(t: TestContext, environment: Environment = {}): Promise<{ main: Main; port: number }> {
    const port = await findFreePort()
    const settings = { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `127.0.0.1:${port}` }
    const main = startMain(t, { ...settings, ...environment })
    await main.listening()
    return { main, port }
  }

  /** Resolves with the exit code and the milliseconds until then. */
  async function ended(main: Main, began: number): Promise<{ code: number | null; took: number }> {
    const code = await main.exited
    return { code, took: performance.now() - began }
  }

  /** Holds the backend's next answers back. The result releases them. */
  function holdAnswers(): () => void {
    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    return () => {
      for (const response of held) response.end()
    }
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal}: a question in flight gets its verdict, nobody new gets in, the exit code is 0`, async (t) => {
      const { main, port } = await start(t, { BACKEND_TIMEOUT: '5s' })
      const letGo = holdAnswers()
      const asked = backend.asked.length
      const inFlight = getVerdict({ port })
      await until('the question', () => backend.asked.length > asked)

      const began = performance.now()
      main.signal(signal)
      await until('new connections to be refused', () => isRefused(port))
      letGo()
      const { status, headers } = await inFlight
      assert.equal(status, 200)
      assert.equal(headers['x-auth-reason'], 'backend-200')
      assert.equal(headers.connection, 'close')

      const { code, took } = await ended(main, began)
      assert.equal(code, 0, main.stderr())
      assert.ok(took < 5_000 + MARGIN, `${took} ms`)
    })
  }

  test('a silent backend holds the end up no longer than the deadline', async (t) => {
    const { main, port } = await start(t, { BACKEND_TIMEOUT: '1s' })
    holdAnswers()
    const asked = backend.asked.length
    const inFlight = getVerdict({ port })
    await until('the question', () => backend.asked.length > asked)

    const began = performance.now()
    main.signal('SIGTERM')
    const { status, headers } = await inFlight
    assert.equal(status, 403)
    assert.equal(headers['x-auth-reason'], 'unavailable-timeout')
    const { code, took } = await ended(main, began)
    assert.equal(code, 0, main.stderr())
    assert.ok(took < 1_000 + MARGIN, `${took} ms`)
  })

  test('connections that nginx keeps alive do not delay it', async (t) => {
    const { main, port } = await start(t, { BACKEND_TIMEOUT: '20s' })
    backend.answer = (_asked, response) => void response.end()
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    t.after(() => agent.destroy())
    const ask = (_: unknown, number: number) => getVerdict({ port, agent }, { uri: `/x?token=${number}` })
    await Promise.all(Array.from({ length: 8 }, ask))
    assert.ok(Object.values(agent.freeSockets).flat().length > 0, 'they are kept alive')

    const began = performance.now()
    main.signal('SIGTERM')
    const { code, took } = await ended(main, began)
    assert.equal(code, 0, main.stderr())
    assert.ok(took < 3_000, `${took} ms`)
  })

  test('a connection on which nothing was ever asked is not waited for past the deadline', async (t) => {
    const { main, port } = await start(t, { BACKEND_TIMEOUT: '1s' })
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
    await until('the connection', () => socket.readyState === 'open')

    const began = performance.now()
    main.signal('SIGTERM')
    const { code, took } = await ended(main, began)
    assert.equal(code, 0, main.stderr())
    assert.ok(took < 1_000 + MARGIN, `${took} ms`)
  })

  for (const second of ['SIGTERM', 'SIGINT'] as const) {
    test(`a second signal (${second}) does no harm`, async (t) => {
      const { main, port } = await start(t, { BACKEND_TIMEOUT: '5s' })
      const letGo = holdAnswers()
      const asked = backend.asked.length
      const inFlight = getVerdict({ port })
      await until('the question', () => backend.asked.length > asked)

      main.signal('SIGTERM')
      await until('the first signal', () => main.stdout().includes('"stopping"'))
      main.signal(second)
      await delay(50)
      main.signal(second)
      letGo()
      assert.equal((await inFlight).status, 200)
      assert.equal(await main.exited, 0, main.stderr())
      assert.equal(main.stdout().split('"stopping"').length, 2, main.stdout())
    })
  }
})
