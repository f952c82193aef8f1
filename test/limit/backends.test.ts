import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'

for (const [mode, meet] of [
  ['any', false],
  ['failover', true],
] as const)
  test(`BACKEND_MODE=${mode}: users with equal ids of two backends are ${meet ? 'one' : 'two'}`, async (t) => {
    const [one, other] = [await startBackend(t), await startBackend(t)]
    const grant = { 'X-UserId': '7', 'X-Max-Sessions': '1' }
    one.answer = status(200, grant)
    other.answer = status(403)
    const gate = await startGate(t, { BACKEND_URL: `${one.url}/a ${other.url}/a`, BACKEND_MODE: mode })
    const open = (userAgent: string) =>
      askGate(gate.port, { userAgent, uri: `/${userAgent}/index.m3u8?token=${userAgent}` })
    assert.equal((await open('tv')).verdict, 'allow')
    // The second backend answers from now on.
    if (mode === 'any') one.answer = status(403)
    else await one.stop()
    other.answer = status(200, grant)
    assert.equal((await open('phone')).verdict, 'allow')
    const { reason } = await askGate(gate.port, { userAgent: 'tv', uri: '/tv/1.ts' })
    assert.equal(reason, meet ? 'session-limit' : 'riding')
  })
