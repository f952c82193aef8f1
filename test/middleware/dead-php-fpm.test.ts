import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startGate } from '../support/gate.ts'
import { startPhpFpm } from '../support/php-fpm-backend.ts'
import { until } from '../support/until.ts'

describe('php-fpm behind its nginx is stopped', () => {
  const newcomer = { uri: '/live/index.m3u8?token=good1', userAgent: 'newcomer' }
  test('who plays plays on, whatever UNAVAILABLE_STATUS says', async (t) => {
    const { url, fpm } = await startPhpFpm(t)
    const { port } = await startGate(t, { BACKEND_URL: `${url}/auth`, ALLOW_TTL: '200ms' })
    const playing = { userAgent: 'playing', uri: '/live/index.m3u8?token=good' }
    assert.equal((await askGate(port, playing)).reason, 'backend-200')
    await fpm.stop()
    const segment = { userAgent: 'playing', uri: '/live/1.ts' }
    await until('a re-check', async () => (await askGate(port, segment)).reason === 'unavailable-status')
    assert.equal((await askGate(port, segment)).status, 200)
    assert.equal((await askGate(port, newcomer)).reason, 'backend-502')
  })
})
