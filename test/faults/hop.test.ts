import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { type Behaviour, startFaultProxy } from '../support/fault-proxy.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'

/** What nginx waits for a gate, as shipped, and what a busy machine may add; milliseconds. */
const READ_TIMEOUT = 3_000
const MARGIN = 1_500

/** What happens to the gate's answer on its way to nginx. The on-failure file decides. */
const faults: readonly [what: string, behaviour: Behaviour][] = [
  ['connections are refused', { kind: 'refuse' }],
  ['closed without a byte', { kind: 'close' }],
  ['reset', { kind: 'reset' }],
  ['closed within the status line', { kind: 'truncate', bytes: 10 }],
  ['closed within the headers', { kind: 'truncate', bytes: 60 }],
  ['dripping', { kind: 'drip', every: 100 }],
]

const flavours = [
  ['allow', 200],
  ['deny', 403],
] as const

describe('the way from nginx to the gate fails', { concurrency: true }, () => {
  for (const way of ['TCP', 'a Unix socket'] as const) {
    test(`${way}: the on-failure file answers good and bad tokens alike, real verdicts at once afterwards`, async (t) => {
      const backend = await startBackend(t)
      backend.answer = hasToken('good')
      const gate = await startGate(t, { BACKEND_URL: backend.url })
      const socketPath = join(makeTemporaryFolder(t), 'hop.sock')
      const proxy = await startFaultProxy(t, gate.port, way === 'TCP' ? undefined : socketPath)
      const sites = await Promise.all(
        flavours.map(([onFailure]) => startNginx(t, { gates: [proxy.address], onFailure })),
      )
      /** With each on-failure file a new viewer with a good token, and one with a bad one. */
      const play = (): Promise<ClientAnswer[][]> =>
        Promise.all(
          sites.map(({ port }) =>
            Promise.all(
              ['good', 'bad'].map((token) => {
                const headers = [`User-Agent: ${newViewer()}`]
                return request({ port, target: `/index.m3u8?token=${token}`, headers })
              }),
            ),
          ),
        )
      const statusesOf = (answers: ClientAnswer[][]): number[][] =>
        answers.map((both) => both.map(({ status }) => status))

      for (const [what, behaviour] of faults) {
        await proxy.behave(behaviour)
        const answers = await play()
        assert.deepEqual(
          statusesOf(answers),
          flavours.map(([, expected]) => [expected, expected]),
          what,
        )
        for (const { took } of answers.flat()) assert.ok(took < READ_TIMEOUT + MARGIN, `${what}: ${took} ms`)
        await proxy.behave({ kind: 'pass' })
        assert.deepEqual(
          statusesOf(await play()),
          flavours.map(() => [200, 403]),
          `after: ${what}`,
        )
      }
      // nginx takes what is no HTTP for HTTP/0.9 without a status, and auth_request takes that for a fault
      // of the site: nobody is let in.
      await proxy.behave({ kind: 'garbage', bytes: 'SSH-2.0-OpenSSH_9.2p1\r\n' })
      assert.deepEqual(
        statusesOf(await play()),
        flavours.map(() => [500, 500]),
      )
    })
  }
})
