import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { startMain } from '../support/main-process.ts'
import { startNginx } from '../support/nginx.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'

/** What each on-failure file answers to good and bad tokens alike, because no gate could decide. */
const flavours = [
  ['allow', 200],
  ['deny', 403],
] as const

// Most of it is waiting for the read timeout.
describe('a gate that is dead is told from one that works, and the on-failure file decides:', {
  concurrency: true,
}, () => {
  for (const way of ['TCP', 'a Unix socket'] as const) {
    for (const verdictCache of [false, true]) {
      test(`frozen, awake, stopped, on ${way}${verdictCache ? ', with the verdict cache' : ''}`, async (t) => {
        const backend = await startBackend(t)
        backend.answer = hasToken('good')
        const tcp = `127.0.0.1:${await findFreePort()}`
        const address = way === 'TCP' ? tcp : `unix:${join(makeTemporaryFolder(t), 'gate.sock')}`
        const gate = startMain(t, { BACKEND_URL: backend.url, ADMIN_LISTEN: 'off', LISTEN: address })
        await gate.listening()
        const sites = await Promise.all(
          flavours.map(([onFailure]) => startNginx(t, { gates: [address], onFailure, verdictCache })),
        )
        /**
         * The statuses of a new viewer with a good token and a new viewer with a bad one, for each on-failure
         * file.
         */
        const play = (): Promise<number[][]> =>
          Promise.all(
            sites.map(({ port }) =>
              Promise.all(
                ['good', 'bad'].map(async (token) => {
                  const headers = [`User-Agent: ${newViewer()}`]
                  return (await request({ port, target: `/index.m3u8?token=${token}`, headers })).status
                }),
              ),
            ),
          )
        const verdicts = flavours.map(() => [200, 403])
        const byNginx = flavours.map(([, status]) => [status, status])

        assert.deepEqual(await play(), verdicts, 'it works')
        gate.signal('SIGSTOP')
        assert.deepEqual(await play(), byNginx, 'frozen')
        gate.signal('SIGCONT')
        assert.deepEqual(await play(), verdicts, 'awake')
        gate.signal('SIGTERM')
        await gate.exited
        assert.deepEqual(await play(), byNginx, 'stopped')
      })
    }
  }
})
