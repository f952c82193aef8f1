import assert from 'node:assert/strict'
import type { Environment } from '../../../src/config/read-settings.ts'
import { startBackend } from '../../support/backend.ts'
import { request } from '../../support/client.ts'
import { findFreePort } from '../../support/free-port.ts'
import { startGateProcess } from '../../support/gate-process.ts'
import { startNginx } from '../../support/nginx.ts'
import { patientTest } from '../../support/patient-test.ts'
import { readBackend } from '../../support/readiness.ts'
import type { Scope } from '../../support/scope.ts'

const PLAYLIST = '/live/news/index.m3u8'

/**
 * nginx in front of a gate whose backend allows `token=good…` after so many milliseconds. The gate has a
 * process of its own: beside hundreds of clients in one process it would not run for seconds, and nginx would
 * refuse in its place.
 */
async function startSite(scope: Scope, milliseconds: number, environment: Environment = {}) {
  const backend = await startBackend(scope)
  backend.answer = ({ target }, response) => {
    setTimeout(() => response.writeHead(target.includes('token=good') ? 200 : 403).end(), milliseconds)
  }
  const adminPort = await findFreePort()
  const gate = await startGateProcess(scope, {
    ...{ BACKEND_URL: backend.url, ADMIN_LISTEN: `127.0.0.1:${adminPort}` },
    ...environment,
  })
  const nginx = await startNginx(scope, {
    gates: [`127.0.0.1:${gate.port}`],
    files: { [PLAYLIST]: '#EXTM3U\n' },
    // Viewers come with an address of their own.
    http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Viewer;',
  })
  const play = async (address: string, token: string, userAgent: string): Promise<number> => {
    const headers = [`X-Viewer: ${address}`, `User-Agent: ${userAgent}`]
    return (await request({ port: nginx.port, target: `${PLAYLIST}?token=${token}`, headers })).status
  }
  // The first question costs more than all others: code is compiled, connections are opened.
  assert.equal(await play('192.0.2.1', 'good', 'first'), 200)
  return { adminPort, nginx, play }
}

patientTest('100 set-top boxes behind one address come back at once: all play within 2 s', async (t) => {
  const { play } = await startSite(t, 200)
  const began = performance.now()
  const boxes = Array.from({ length: 100 }, (_, n) => play('203.0.113.9', `good${n}`, `box ${n}`))
  assert.deepEqual(new Set(await Promise.all(boxes)), new Set([200]))
  assert.ok(performance.now() - began < 2_000)
})

patientTest(
  '300 bad tokens at a time from 300 /64s of one /48, DEFAULT_ACTION=allow: nobody is let in, others play',
  async (t) => {
    const { adminPort, nginx, play } = await startSite(t, 50, { DEFAULT_ACTION: 'allow' })
    let sent = 0
    const statuses = new Map<number, number>()
    const flood = Array.from({ length: 300 }, async (_, n) => {
      while (sent < 1_500) {
        const status = await play(`2001:db8:0:${n.toString(16)}::1`, `bad${sent++}`, 'attacker')
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    for (let n = 0; n < 20; n++)
      assert.equal(
        await play(`203.0.${n}.1`, 'good', 'viewer'),
        200,
        nginx
          .accessLog()
          .filter((line) => / 403 .*"viewer"$/.test(line))
          .join('\n'),
      )
    await Promise.all(flood)
    assert.deepEqual([...statuses.keys()], [403])
    assert.equal((await readBackend(adminPort)).breaker, 'closed')
  },
)
