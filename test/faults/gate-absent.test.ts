import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, request, requestHttp2 } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { type Main, startMain } from '../support/main-process.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { rounds } from '../support/rounds.ts'
import type { Scope } from '../support/scope.ts'
import { newViewer } from '../support/site.ts'
import { watchStalls } from '../support/stalls.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { untilLogged } from '../support/until-logged.ts'

/**
 * Milliseconds: nginx's read timeout as shipped, the time of an answer without a gate, and what a busy
 * machine may add.
 */
const READ_TIMEOUT = 3_000
const AT_ONCE = 2_000
const MARGIN = 2_000

/** What each on-failure file answers when no gate could decide. */
const flavours = [
  ['allow', 200],
  ['deny', 403],
] as const

const setups = [
  { way: 'TCP', verdictCache: false },
  { way: 'a Unix socket', verdictCache: true },
  { way: 'TCP', verdictCache: true },
  { way: 'a Unix socket', verdictCache: false },
] as const

/** A new viewer, with a good token or a bad one. */
function play(nginx: Nginx, token: string): Promise<ClientAnswer> {
  const headers = [`User-Agent: ${newViewer()}`]
  return request({ port: nginx.port, target: `/index.m3u8?token=${token}`, headers })
}

async function startProcess(scope: Scope, backendUrl: string, address: string): Promise<Main> {
  const main = startMain(scope, { BACKEND_URL: backendUrl, ADMIN_LISTEN: 'off', LISTEN: address })
  await main.listening()
  return main
}

/** A gate's address, and an nginx with each on-failure file before it. No gate runs there yet. */
async function startSites(scope: Scope, { way, verdictCache }: (typeof setups)[number]) {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const path = join(makeTemporaryFolder(scope), 'gate.sock')
  const address = way === 'TCP' ? `127.0.0.1:${await findFreePort()}` : `unix:${path}`
  const sites = await Promise.all(
    flavours.map(async ([onFailure, expected]) => {
      const nginx = await startNginx(scope, { gates: [address], onFailure, verdictCache })
      return { onFailure, expected, nginx }
    }),
  )
  return { backend, path, address, sites }
}

// Most of it is waiting for the read timeout.
describe('without a verdict of the gate the on-failure file decides:', { concurrency: true }, () => {
  for (const setup of setups.slice(0, rounds(2, setups.length))) {
    const cached = setup.verdictCache ? ', with the verdict cache' : ''
    test(`absent, working, frozen, awake, stopped, killed, on ${setup.way}${cached}`, async (t) => {
      const { backend, path, address, sites } = await startSites(t, setup)

      const assertRealVerdicts = async (): Promise<void> => {
        for (const { nginx } of sites) {
          assert.equal((await play(nginx, 'good')).status, 200)
          assert.equal((await play(nginx, 'bad')).status, 403)
          await untilLogged(nginx, /verdict=deny source=backend reason=backend-403 session=[\w-]{22}/)
        }
      }
      /** Good and bad tokens alike get the answer of the on-failure file, and the log says who gave it. */
      const assertByNginx = async (within: number, notBefore = 0): Promise<void> => {
        const stalls = watchStalls()
        const all = sites.map(async ({ nginx, expected, onFailure }) => {
          const answers = [play(nginx, 'good'), play(nginx, 'bad')]
          const overHttp2 = requestHttp2(nginx.tlsPort, '/index.m3u8?token=bad', {
            'user-agent': newViewer(),
          })
          for (const { status, took } of await Promise.all(answers)) {
            assert.equal(status, expected)
            assert.ok(took > notBefore && took < within + stalls(), `${took} ms`)
          }
          assert.equal(await overHttp2, expected)
          const told = ` ${expected} \\d+ verdict=${onFailure} source=nginx reason=gate-unavailable session=`
          const lines = (): string[] => nginx.accessLog().slice(-3)
          await until('their lines', () => lines().every((line) => new RegExp(told).test(line)))
        })
        await Promise.all(all)
      }
      const assertFrozen = () => assertByNginx(READ_TIMEOUT + MARGIN, READ_TIMEOUT - 50)

      await assertByNginx(AT_ONCE)
      let gate = await startProcess(t, backend.url, address)
      await assertRealVerdicts()
      gate.signal('SIGSTOP')
      await assertFrozen()
      await assertFrozen()
      gate.signal('SIGCONT')
      await assertRealVerdicts()

      // Frozen while it asks the backend.
      const asked = backend.asked.length
      backend.answer = () => {}
      const inFlight = sites.map(({ nginx }) => play(nginx, 'good'))
      await until('the questions', () => backend.asked.length === asked + inFlight.length)
      gate.signal('SIGSTOP')
      assert.deepEqual(
        (await Promise.all(inFlight)).map(({ status }) => status),
        sites.map(({ expected }) => expected),
      )
      gate.signal('SIGCONT')
      backend.answer = hasToken('good')
      await assertRealVerdicts()

      gate.signal('SIGTERM')
      assert.equal(await gate.exited, 0)
      await assertByNginx(AT_ONCE)
      gate = await startProcess(t, backend.url, address)
      await assertRealVerdicts()
      gate.signal('SIGKILL')
      await gate.exited
      assert.equal(existsSync(path), setup.way === 'a Unix socket', 'the socket that a killed gate leaves')
      await assertByNginx(AT_ONCE)
      await startProcess(t, backend.url, address)
      await assertRealVerdicts()
    })
  }

  test('what needs no verdict is served', async (t) => {
    const { sites } = await startSites(t, setups[0])
    for (const { nginx } of sites)
      assert.equal((await request({ port: nginx.port, target: '/open/nothing-here' })).status, 404)
  })
})
