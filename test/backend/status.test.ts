import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate, gateHeaders } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { forSuite } from '../support/scope.ts'

const everyStatus = Array.from({ length: 400 }, (_, index) => 200 + index)

describe('a status of the backend, DEFAULT_ACTION=allow:', () => {
  const backend = forSuite((scope) => startBackend(scope))

  for (const [named, statuses] of [
    ['502 503 504', everyStatus],
    ['', [200, 502, 503, 504]],
  ] as const) {
    test(`exactly 200 lets in, each other one is a deny; UNAVAILABLE_STATUS=${named}`, async (t) => {
      const { port } = await startGate(t, {
        BACKEND_URL: backend.url,
        DEFAULT_ACTION: 'allow',
        UNAVAILABLE_STATUS: named,
      })
      backend.asked.length = 0
      for (const code of statuses) {
        backend.answer = status(code)
        const uri = `/live/index.m3u8?token=${code}`
        const { verdict, source, reason } = await askGate(port, { uri, userAgent: `viewer-${code}` })
        const expected = named.includes(String(code))
          ? ['allow', 'default', 'unavailable-status']
          : [code === 200 ? 'allow' : 'deny', 'backend', `backend-${code}`]
        assert.deepEqual([verdict, source, reason], expected)
      }
      // One that counts as unavailable is asked about once more only when the control question gets another
      // answer.
      assert.equal(backend.asked.length, statuses.length, 'each status is a question of its own')
    })
  }

  test('a redirect is a deny, and nobody goes there', async (t) => {
    const elsewhere = await startRawBackend(t, (socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const { port } = await startGate(t, { BACKEND_URL: backend.url, DEFAULT_ACTION: 'allow' })
    for (const code of [300, 301, 302, 303, 305, 307, 308]) {
      backend.answer = status(code, {
        Location: `${elsewhere.url}/auth?token=1`,
        Refresh: `0; ${elsewhere.url}`,
      })
      const headers = gateHeaders({ userAgent: `redirected-${code}` })
      const { status: answered, head } = await request({ port, target: '/auth', headers })
      assert.equal(answered, 403)
      assert.match(head, new RegExp(`^X-Auth-Reason: backend-${code}$`, 'm'))
      assert.doesNotMatch(head, /^(?:location|refresh):/im)
    }
    assert.equal(elsewhere.connections(), 0)
  })
})
