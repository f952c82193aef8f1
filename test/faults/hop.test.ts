import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { type Behaviour, startFaultProxy } from '../support/fault-proxy.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
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

describe('the way from nginx to the gate fails', { concurrency: true }, () => {
  for (const way of ['TCP', 'a Unix socket'] as const) {
    for (const [onFailure, expected] of [
      ['allow', 200],
      ['deny', 403],
    ] as const) {
      test(`${way}, on-failure-${onFailure}: its answer for good and bad tokens alike, real verdicts at once afterwards`, async (t) => {
        const backend = await startBackend(t)
        backend.answer = hasToken('good')
        const gate = await startGate(t, { BACKEND_URL: backend.url })
        const socketPath = join(makeTemporaryFolder(t), 'hop.sock')
        const proxy = await startFaultProxy(t, gate.port, way === 'TCP' ? undefined : socketPath)
        const nginx = await startNginx(t, { gates: [proxy.address], onFailure })
        let viewers = 0
        const play = (token: string): Promise<ClientAnswer> => {
          const headers = [`User-Agent: viewer-${++viewers}`]
          return request({ port: nginx.port, target: `/index.m3u8?token=${token}`, headers })
        }
        const playBoth = (): Promise<ClientAnswer[]> => Promise.all([play('good'), play('bad')])

        for (const [what, behaviour] of faults) {
          await proxy.behave(behaviour)
          for (const { status, took } of await playBoth()) {
            assert.equal(status, expected, what)
            assert.ok(took < READ_TIMEOUT + MARGIN, `${what}: ${took} ms`)
          }
          await proxy.behave({ kind: 'pass' })
          const after = await playBoth()
          const statuses = after.map(({ status }) => status)
          assert.deepEqual(statuses, [200, 403], `after: ${what}`)
        }
        // nginx takes what is no HTTP for HTTP/0.9 without a status, and auth_request takes that for a fault
        // of the site: nobody is let in.
        await proxy.behave({ kind: 'garbage', bytes: 'SSH-2.0-OpenSSH_9.2p1\r\n' })
        for (const { status } of await playBoth()) assert.equal(status, 500)
      })
    }
  }
})
