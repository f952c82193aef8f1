import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { type ClientAnswer, request, requestHttp2 } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { type Main, startMain } from '../support/main-process.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { forSuite, type Scope, suiteScope } from '../support/scope.ts'
import { watchStalls } from '../support/stalls.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { untilLogged } from '../support/until-logged.ts'

/**
 * Milliseconds: nginx's read timeout as shipped, the time of an answer without a gate, and what a busy
 * machine may add.
 */
const READ_TIMEOUT = 3_000
const AT_ONCE = 1_000
const MARGIN = 700

/** What each on-failure file answers when no gate could decide. */
const flavours = [
  ['allow', 200],
  ['deny', 403],
] as const

let viewers = 0

/** A new viewer, with a good token or a bad one. */
function play(nginx: Nginx, token: string): Promise<ClientAnswer> {
  const headers = [`User-Agent: viewer-${++viewers}`]
  return request({ port: nginx.port, target: `/index.m3u8?token=${token}`, headers })
}

async function startGateProcess(scope: Scope, backend: Backend, port: number): Promise<Main> {
  const main = startMain(scope, {
    BACKEND_URL: backend.url,
    ADMIN_LISTEN: 'off',
    LISTEN: `127.0.0.1:${port}`,
  })
  await main.listening()
  return main
}

async function startJudge(scope: Scope): Promise<Backend> {
  const backend = await startBackend(scope)
  backend.answer = (asked, response) => {
    response.writeHead(asked.target.includes('token=good') ? 200 : 403).end()
  }
  return backend
}

// Most of it is waiting for the read timeout.
describe('without a verdict of the gate:', { concurrency: true }, () => {
  for (const [onFailure, expected] of flavours) {
    describe(`nginx with on-failure-${onFailure} and a gate that is`, { concurrency: 1 }, () => {
      const scope = suiteScope()
      const backend = forSuite(startJudge)
      let port: number
      let gate: Main
      const nginx = forSuite(async (own) => {
        port = await findFreePort()
        gate = await startGateProcess(scope, backend, port)
        return await startNginx(own, { gates: [`127.0.0.1:${port}`], onFailure })
      })

      const assertRealVerdicts = async (): Promise<void> => {
        assert.equal((await play(nginx, 'good')).status, 200)
        assert.equal((await play(nginx, 'bad')).status, 403)
        await untilLogged(nginx, /verdict=deny source=backend reason=backend-403 session=[\w-]{22}/)
      }

      /** Good and bad tokens alike get the answer of the on-failure file, and the log says who gave it. */
      const assertAnsweredByNginx = async (within: number, notBefore = 0): Promise<void> => {
        const stalls = watchStalls()
        const answers = [play(nginx, 'good'), play(nginx, 'bad')]
        const overHttp2 = requestHttp2(nginx.tlsPort, '/index.m3u8?token=bad', {
          'user-agent': `viewer-${++viewers}`,
        })
        for (const { status, took } of await Promise.all(answers)) {
          assert.equal(status, expected)
          assert.ok(took > notBefore && took < within + stalls(), `${took} ms`)
        }
        assert.equal(await overHttp2, expected)
        const told = new RegExp(
          ` ${expected} \\d+ verdict=${onFailure} source=nginx reason=gate-unavailable session=`,
        )
        await until('their lines', () =>
          nginx
            .accessLog()
            .slice(-3)
            .every((line) => told.test(line)),
        )
      }

      test('frozen: answered as configured when the read timeout is over', async (t) => {
        await assertRealVerdicts()
        gate.signal('SIGSTOP')
        t.after(() => gate.signal('SIGCONT'))
        await assertAnsweredByNginx(READ_TIMEOUT + MARGIN, READ_TIMEOUT - 50)
        await assertAnsweredByNginx(READ_TIMEOUT + MARGIN, READ_TIMEOUT - 50)
      })

      test('awake again: real verdicts again', async () => {
        await assertRealVerdicts()
      })

      test('frozen while it asks the backend: as configured, and real verdicts afterwards', async () => {
        const asked = backend.asked.length
        const { answer } = backend
        backend.answer = () => {}
        const inFlight = play(nginx, 'good')
        await until('the question', () => backend.asked.length > asked)
        gate.signal('SIGSTOP')
        assert.equal((await inFlight).status, expected)
        gate.signal('SIGCONT')
        backend.answer = answer
        await assertRealVerdicts()
      })

      test('stopped: answered as configured at once', async () => {
        gate.signal('SIGTERM')
        assert.equal(await gate.exited, 0)
        await assertAnsweredByNginx(AT_ONCE)
        await assertAnsweredByNginx(AT_ONCE)
      })

      test('started again: real verdicts again, at once', async () => {
        gate = await startGateProcess(scope, backend, port)
        await assertRealVerdicts()
      })

      test('killed: answered as configured at once', async () => {
        gate.signal('SIGKILL')
        await gate.exited
        await assertAnsweredByNginx(AT_ONCE)
      })

      test('absent: what needs no verdict is served', async () => {
        assert.equal((await request({ port: nginx.port, target: '/open/nothing-here' })).status, 404)
      })
    })
  }
})

describe('nginx with the gate on a Unix socket', () => {
  for (const [onFailure, expected] of flavours) {
    test(`whose file is missing, or left by a gate that was killed: on-failure-${onFailure} at once`, async (t) => {
      const backend = await startJudge(t)
      const path = join(makeTemporaryFolder(t), 'gate.sock')
      const nginx = await startNginx(t, { gates: [`unix:${path}`], onFailure })
      const assertAnsweredByNginx = async (): Promise<void> => {
        for (const token of ['good', 'bad']) {
          const { status, took } = await play(nginx, token)
          assert.equal(status, expected)
          assert.ok(took < 1_000, `${took} ms`)
        }
        await untilLogged(nginx, new RegExp(`verdict=${onFailure} source=nginx reason=gate-unavailable`))
      }
      await assertAnsweredByNginx()
      const start = async (): Promise<Main> => {
        const main = startMain(t, { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: `unix:${path}` })
        await main.listening()
        assert.equal((await play(nginx, 'good')).status, 200)
        assert.equal((await play(nginx, 'bad')).status, 403)
        return main
      }
      const gate = await start()
      gate.signal('SIGKILL')
      await gate.exited
      assert.ok(existsSync(path))
      await assertAnsweredByNginx()
      await start()
    })
  }
})

describe('nginx with on-failure-allow and a gate that works', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const nginx = forSuite(async (scope) => {
    const port = await findFreePort()
    await startGateProcess(scope, backend, port)
    return await startNginx(scope, { gates: [`127.0.0.1:${port}`], onFailure: 'allow' })
  })

  for (const code of [401, 403, 404, 500, 502, 503, 504]) {
    test(`a backend's ${code} is a verdict: the viewer gets 403`, async () => {
      backend.answer = status(code)
      assert.equal((await play(nginx, 'any')).status, 403)
      await untilLogged(nginx, new RegExp(`source=backend reason=backend-${code} `))
    })
  }

  test('a request that the gate refuses stays refused', async () => {
    const target = `/index.m3u8?a${'&a'.repeat(600)}`
    assert.equal((await request({ port: nginx.port, target })).status, 403)
    await untilLogged(nginx, /source=gate reason=bad-request/)
  })

  test('a request that nginx refuses stays refused', async () => {
    assert.equal((await request({ port: nginx.port, target: '/%0d%0aindex.m3u8?token=good' })).status, 403)
    await untilLogged(nginx, /source=nginx reason=control-bytes/)
  })

  test('a default deny of the gate stays a deny', async () => {
    await backend.stop()
    assert.equal((await play(nginx, 'good')).status, 403)
    await untilLogged(nginx, /source=default reason=unavailable-refused/)
  })
})

describe('nginx with two gates', () => {
  for (const [onFailure] of flavours) {
    test(`one of them killed: every request gets a real verdict (on-failure-${onFailure})`, async (t) => {
      const { nginx, gates } = await startPair(t, onFailure)
      const counts = new Map<string, number>()
      const viewer = async (): Promise<void> => {
        for (let turn = 0; turn < 40; turn++) {
          const token = turn % 2 === 0 ? 'good' : 'bad'
          const { status: code } = await play(nginx, token)
          counts.set(`${token} ${code}`, (counts.get(`${token} ${code}`) ?? 0) + 1)
        }
      }
      const viewers = Array.from({ length: 8 }, viewer)
      await until('some verdicts', () => (counts.get('good 200') ?? 0) > 20)
      gates[0].signal('SIGKILL')
      await Promise.all(viewers)
      assert.deepEqual(Object.fromEntries(counts), { 'good 200': 160, 'bad 403': 160 })
      assert.deepEqual(
        nginx.accessLog().filter((line) => line.includes('source=nginx')),
        [],
      )
    })
  }

  async function startPair(
    t: TestContext,
    onFailure: 'allow' | 'deny',
  ): Promise<{ nginx: Nginx; gates: readonly [Main, Main] }> {
    const backend = await startJudge(t)
    const ports = [await findFreePort(), await findFreePort()] as const
    const gates = [
      await startGateProcess(t, backend, ports[0]),
      await startGateProcess(t, backend, ports[1]),
    ] as const
    const nginx = await startNginx(t, { gates: ports.map((port) => `127.0.0.1:${port}`), onFailure })
    return { nginx, gates }
  }
})
