import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'

const others: readonly (readonly [method: string, target: string])[] = [
  ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND'].map(
    (method) => [method, '/auth'] as const,
  ),
  ...['/', '/auth/', '/AUTH', '//auth', '/auth/x', '/auth%20', '/%61uth', '/auth;x', '/x/../auth', '*'].map(
    (target) => ['GET', target] as const,
  ),
]

describe('the gate answers GET /auth and nothing else, whoever allows everything', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const gate = forSuite((scope) => startGate(scope, { BACKEND_URL: backend.url, DEFAULT_ACTION: 'allow' }))

  for (const [method, target] of others) {
    test(`${method} ${target} is refused, and nobody is asked`, async () => {
      const headers = gateHeaders({ userAgent: `${method} ${target}` })
      const { status, head, body } = await request({ port: gate.port, method, target, headers })
      assert.equal(status, 403)
      assert.match(head, /^X-Auth-Verdict: deny$/m)
      assert.match(head, /^X-Auth-Source: gate$/m)
      assert.match(head, /^X-Auth-Reason: bad-request$/m)
      assert.match(head, /^Content-Length: 0$/m)
      assert.equal(body, '')
      assert.equal(backend.asked.length, 0)
    })
  }
})
