import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import type { Decide } from '../../src/decision/decide.ts'
import { createGate } from '../../src/gate/gate.ts'
import { createGateServer } from '../../src/gate/server.ts'
import type { Log } from '../../src/log/log.ts'
import type { Decision, Verdict } from '../../src/verdict.ts'
import { askGate, gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import type { Scope } from '../support/scope.ts'

const allowed: Decision = {
  verdict: 'allow',
  source: 'backend',
  reason: 'backend-200',
  sessionId: 'id',
  userId: '',
  holdsFor: 0,
  cacheable: false,
}

/** Ways in which our own code may fail: in `decide`, and in the log. */
const faults: [what: string, decide: Decide, onRepeated?: () => void][] = [
  [
    'deciding throws',
    () => {
      throw new Error('thrown on purpose')
    },
  ],
  [
    'deciding throws what is no error',
    () => {
      throw 'text thrown on purpose'
    },
  ],
  ['deciding rejects', () => Promise.reject(new Error('rejected on purpose'))],
  ['deciding rejects late', () => new Promise((_, reject) => setTimeout(reject, 20, new Error('late')))],
  ['deciding rejects without a reason', () => Promise.reject(undefined)],
  ['the decision cannot be written', async () => ({ ...allowed, userId: 'a\r\nX-Auth-Verdict: deny' })],
  ['the decision is none', (() => undefined) as unknown as Decide],
  [
    'writing the log throws',
    () => allowed,
    () => {
      throw new Error('the disk is full')
    },
  ],
]

/** The gate alone, on a port of its own, with a decision that fails. */
async function startBroken(
  scope: Scope,
  defaultAction: Verdict,
  decide: Decide,
  onRepeated: () => void = () => {},
): Promise<{ port: number; errors: unknown[] }> {
  const errors: unknown[] = []
  const gate = createGate({
    decide,
    defaultAction,
    isClosing: () => false,
    nginxTtl: 10_000,
    onRepeated,
    onRefused: () => {},
    onInternalError: (error) => void errors.push(error),
  })
  const server = createGateServer(gate, () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(() => void server.close())
  return { port: (server.address() as AddressInfo).port, errors }
}

test('a fault of our own code in the whole service is logged with where it happened, and counted', async (t) => {
  const errors: { message: string; error: string }[] = []
  const log: Log = {
    error: (message, fields) => void errors.push({ message, ...fields } as (typeof errors)[number]),
    warn() {},
    info(message) {
      if (message === 'decided') throw new Error('thrown on purpose')
    },
    debug() {},
    debugs: false,
  }
  const backend = await startBackend(t)
  const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: '127.0.0.1:0', DEFAULT_ACTION: 'allow' }
  const { port, adminPort } = await startGate(t, environment, log)
  const { status, source, reason } = await askGate(port)
  assert.deepEqual([status, source, reason], [200, 'default', 'unavailable-internal'])
  assert.equal(errors.length, 1)
  assert.equal(errors[0]?.message, 'internal error')
  assert.match(errors[0]?.error ?? '', /^Error: thrown on purpose\n +at .*internal-error\.test\.ts/)
  assert.match((await get({ port: adminPort }, '/readyz')).body, /"internalErrors":1\b/)
  assert.match((await get({ port: adminPort }, '/metrics')).body, /^alta_auth_internal_errors_total 1$/m)
})

describe('a fault of our own code', () => {
  for (const [what, decide, onRepeated] of faults) {
    test(`is answered by the default action and told: ${what}`, async (t) => {
      const { port, errors } = await startBroken(t, 'allow', decide, onRepeated)
      const answer = await request({ port, target: '/auth', headers: gateHeaders({}) })
      assert.equal(answer.status, 200)
      assert.match(answer.head, /^Content-Length: 0$/m)
      assert.match(answer.head, /^X-Auth-Verdict: allow$/m)
      assert.match(answer.head, /^X-Auth-Source: default$/m)
      assert.match(answer.head, /^X-Auth-Reason: unavailable-internal$/m)
      assert.match(answer.head, /^X-Accel-Expires: 0$/m)
      assert.equal(answer.body, '')
      assert.equal(errors.length, 1)
    })
  }
})
