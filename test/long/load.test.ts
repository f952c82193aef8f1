import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { isFull } from '../support/full.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { startMain } from '../support/main-process.ts'
import { startNginx } from '../support/nginx.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 32
/** Requests of each connection. */
const TURNS = isFull ? 400 : 60
/** Descriptors that may come and go by themselves. */
const MARGIN = 4

interface Readiness {
  readonly sessions: { readonly live: number; readonly denied: number }
  readonly internalErrors: number
}

describe('under load', () => {
  test('every verdict is right, nothing fails, and nothing is left behind', async (t) => {
    const backend = await startBackend(t)
    backend.answer = (asked, response) => {
      response.writeHead(asked.target.includes('token=good') ? 200 : 403).end()
    }
    const [port, adminPort] = [await findFreePort(), await findFreePort()]
    const gate = startMain(t, {
      BACKEND_URL: backend.url,
      // All viewers come from one address here, which may hold a quarter.
      BACKEND_CONCURRENCY: '256',
      LISTEN: `127.0.0.1:${port}`,
      ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      LOG_LEVEL: 'warn',
      SESSION_IDLE: '1s',
    })
    await until('the gate to listen', () =>
      get({ port: adminPort }, '/readyz').then(
        () => true,
        () => false,
      ),
    )
    const nginx = await startNginx(t, { gates: [`127.0.0.1:${port}`] })
    const openFiles = (): number => readdirSync(`/proc/${gate.pid}/fd`).length
    const before = openFiles()

    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
    t.after(() => agent.destroy())
    const counts: Record<string, number> = {}
    const began = performance.now()
    const viewer = async (number: number): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        const token = (number + turn) % 2 === 0 ? 'good' : 'bad'
        const headers = { 'User-Agent': `viewer-${number}` }
        const path = `/index.m3u8?token=${token}-${number}-${turn}`
        const answer = await get({ port: nginx.port, agent }, path, headers).catch((error: Error) => error)
        const what = `${token} ${answer instanceof Error ? answer.message : answer.status}`
        counts[what] = (counts[what] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => viewer(number)))
    agent.destroy()

    const { 'good 200': good = 0, 'bad 403': bad = 0, ...others } = counts
    t.diagnostic(`${good} allowed and ${bad} denied in ${Math.round(performance.now() - began)} ms`)
    assert.deepEqual(others, {})
    assert.deepEqual([good, bad], [(CONNECTIONS * TURNS) / 2, (CONNECTIONS * TURNS) / 2])
    assert.deepEqual(
      nginx.accessLog().filter((line) => !line.includes(' source=backend reason=backend-')),
      [],
    )

    // Its connections end with nginx and, idle for a while, with the backend; silent sessions are swept.
    await nginx.child.stop()
    await until('descriptors to be closed', () => openFiles() <= before + MARGIN, 15_000).catch(() => {})
    assert.ok(openFiles() <= before + MARGIN, `${openFiles()} open files, ${before} before`)
    const readiness = async (): Promise<Readiness> =>
      JSON.parse((await get({ port: adminPort }, '/readyz')).body) as Readiness
    await until('sessions to end', async () => (await readiness()).sessions.live === 0, 15_000)
    assert.equal((await readiness()).internalErrors, 0)
    assert.doesNotMatch(gate.stdout() + gate.stderr(), /error/i)
  })

  for (const BACKEND_MODE of ['failover', 'any']) {
    test(`questions leave no timer and no socket behind (${BACKEND_MODE})`, async (t) => {
      const backends = [await startBackend(t), await startBackend(t)]
      for (const backend of backends) {
        backend.answer = (asked, response) => {
          response.writeHead(asked.target.includes('good') ? 200 : 403).end('some text')
        }
      }
      const gate = await startGate(t, {
        BACKEND_URL: backends.map(({ url }) => url).join(' '),
        BACKEND_MODE,
        BACKEND_TIMEOUT: '60s',
      })
      const ask = (_: unknown, number: number) => {
        return askGate(gate.port, { uri: `/x?token=${number % 2 === 0 ? 'good' : 'bad'}-${number}` })
      }
      await ask(undefined, 0)
      const count = (): number => process.getActiveResourcesInfo().length
      const before = count()
      await Promise.all(Array.from({ length: 400 }, ask))
      await until('the end of what the questions needed', () => count() <= before + MARGIN).catch(() => {})
      const left = process.getActiveResourcesInfo()
      assert.ok(left.length <= before + MARGIN, `${before} before, now ${left.join(' ')}`)
    })
  }
})
