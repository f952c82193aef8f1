import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'

const television = { address: '192.0.2.1', userAgent: 'television', uri: '/live/news/index.m3u8?token=1' }
const phone = { address: '192.0.2.2', userAgent: 'phone', uri: '/live/film/index.m3u8?token=2' }

test('the limit is seen in the API, the metrics and the explanation', async (t) => {
  const backend = await startBackend(t)
  backend.answer = (_asked, response) =>
    void response.writeHead(200, { 'X-UserId': 'anna', 'X-Max-Sessions': '1', 'X-Unique': 'true' }).end()
  const { gate, admin } = await startAdminGate(t, { BACKEND_URL: backend.url })
  await askGate(gate.port, television)
  const { sessionId } = await askGate(gate.port, phone)
  assert.equal((await askGate(gate.port, television)).reason, 'session-limit')

  const { sessions } = (await admin('GET /sessions')).json as { sessions: Record<string, unknown>[] }
  assert.deepEqual(
    sessions.map(({ userAgent, user, plays, limit }) => [userAgent, user, plays, limit]),
    [['phone', 'anna', 1, 1]],
  )
  const { users } = (await admin('GET /refused-users')).json as { users: Record<string, unknown>[] }
  assert.deepEqual(
    users.map(({ last, ...rest }) => [typeof last, rest]),
    [['string', { user: 'anna', refused: 1, displaced: 1, isShared: false }]],
  )
  const metrics = (await admin('GET /metrics')).body
  for (const line of [
    'alta_auth_sessions_ended_total{reason="displaced"} 1',
    'alta_auth_limit_refusals_total 1',
    'alta_auth_limited_users 1',
    'alta_auth_shared_names_total 0',
    'alta_auth_decisions_total{verdict="deny",source="gate",reason="session-limit"} 1',
  ])
    assert.ok(metrics.includes(`${line}\n`), line)

  const explained = await gate.service.explain({
    address: television.address,
    userAgent: television.userAgent,
    origin: 'http://live.example.com',
    path: '/live/news/index.m3u8',
    query: 'token=1',
    playbackId: '',
  })
  assert.equal(explained.decision.reason, 'session-limit')
  const limit = explained.known?.limit
  assert.equal(limit?.user, 'anna')
  assert.equal(limit?.finding, '1 of 1 stream')
  assert.deepEqual(
    limit?.plays.map(({ session, address, place, is }) => [session, address, place, is]),
    [[sessionId, phone.address, '/live/film/', 'playing']],
  )
  assert.match(
    limit?.out ?? '',
    new RegExp(
      `^session \\S+ was put out by session ${sessionId} at \\S+; while there is no room, it stays out until `,
    ),
  )
})
