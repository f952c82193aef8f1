import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { failuresOf, startCrowd, type Tally } from '../support/crowd.ts'
import { findFreePort } from '../support/free-port.ts'
import { getVerdict } from '../support/http-get.ts'
import { startInheritedGate } from '../support/inherited-gate.ts'
import { type Main, startMain } from '../support/main-process.ts'
import { startNginx } from '../support/nginx.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** How many of each kind: RESTARTS=30 npm test -- test/long/restarts.test.ts */
const RESTARTS = Number(process.env['RESTARTS'] ?? 3)
/** Requests between two restarts at least. */
const BETWEEN = 500

const total = (tally: Tally): number => Object.values(tally).reduce((sum, count) => sum + count, 0)

describe(`${RESTARTS} restarts under 32 connections at full speed`, { timeout: 900_000 }, () => {
  const backend = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    backend.answer = ({ target }, response) => {
      backend.asked.length = 0
      response.writeHead(target.endsWith('token=good') ? 200 : 403).end()
    }
    return backend
  })

  const startGate = async (scope: Scope, port: number): Promise<Main> => {
    const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LOG_LEVEL: 'warn' }
    const gate = startMain(scope, { ...environment, LISTEN: `127.0.0.1:${port}` })
    await until('the gate to answer', () =>
      getVerdict({ port }).then(
        () => true,
        () => false,
      ),
    )
    return gate
  }

  /** Kills what listens on the port and starts it anew. */
  const replace = async (t: TestContext, gate: Main, port: number): Promise<Main> => {
    gate.signal('SIGKILL')
    await gate.exited
    return await startGate(t, port)
  }

  test('SIGTERM on an inherited socket: no request fails', async (t) => {
    const gate = await startInheritedGate(t, { BACKEND_URL: backend.url })
    const nginx = await startNginx(t, { gates: [`127.0.0.1:${gate.port}`] })
    const crowd = startCrowd(t, nginx)
    for (let restart = 0; restart < RESTARTS; restart++) {
      const enough = crowd.ended() + BETWEEN
      await until('requests', () => gate.pid() > 0 && crowd.ended() > enough)
      const pid = gate.pid()
      process.kill(pid, 'SIGTERM')
      await until('the next gate', () => gate.pid() !== pid)
    }
    const enough = crowd.ended() + BETWEEN
    await until('requests', () => crowd.ended() > enough)
    const tally = await crowd.leave()
    t.diagnostic(`${RESTARTS} graceful restarts: ${total(tally)} requests`)
    assert.deepEqual(failuresOf(tally), {})
    assert.deepEqual(
      nginx.accessLog().filter((line) => line.includes('source=nginx')),
      [],
    )
  })

  test('kill -9 of one of two instances: no request fails', async (t) => {
    const ports = [await findFreePort(), await findFreePort()] as const
    const gates = [await startGate(t, ports[0]), await startGate(t, ports[1])] as const
    const running = [...gates]
    const nginx = await startNginx(t, { gates: ports.map((port) => `127.0.0.1:${port}`) })
    const crowd = startCrowd(t, nginx)
    for (let restart = 0; restart < RESTARTS; restart++) {
      const enough = crowd.ended() + BETWEEN
      await until('requests', () => crowd.ended() > enough)
      const which = restart % 2 === 0 ? 0 : 1
      running[which] = await replace(t, running[which] ?? gates[which], ports[which])
    }
    const enough = crowd.ended() + BETWEEN
    await until('requests', () => crowd.ended() > enough)
    const tally = await crowd.leave()
    t.diagnostic(`${RESTARTS} kills of one of two: ${total(tally)} requests`)
    assert.deepEqual(failuresOf(tally), {})
    assert.deepEqual(
      nginx.accessLog().filter((line) => line.includes('source=nginx')),
      [],
    )
  })

  for (const onFailure of ['allow', 'deny'] as const) {
    test(`kill -9 of a single instance, on-failure-${onFailure}: nothing but verdicts and ${onFailure}`, async (t) => {
      const port = await findFreePort()
      let gate = await startGate(t, port)
      const nginx = await startNginx(t, { gates: [`127.0.0.1:${port}`], onFailure })
      const crowd = startCrowd(t, nginx)
      for (let restart = 0; restart < RESTARTS; restart++) {
        const enough = crowd.ended() + BETWEEN
        await until('requests', () => crowd.ended() > enough)
        gate = await replace(t, gate, port)
      }
      const enough = crowd.ended() + BETWEEN
      await until('requests', () => crowd.ended() > enough)
      const tally = await crowd.leave()
      const excused = onFailure === 'allow' ? 'bad 200' : 'good 403'
      const { [excused]: byNginx = 0, ...failures } = failuresOf(tally)
      t.diagnostic(
        `${RESTARTS} kills of a single one, ${onFailure}: ${total(tally)} requests, ${byNginx} ${excused}`,
      )
      assert.deepEqual(failures, {})
      assert.ok(byNginx > 0, 'the default action was never needed: nothing was shown')
    })
  }
})
