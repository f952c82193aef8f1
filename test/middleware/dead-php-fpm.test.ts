import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { middlewares } from '../../src/client/presets.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import { askGate } from '../support/ask-gate.ts'
import { startGate } from '../support/gate.ts'
import { startPhpFpm } from '../support/php-fpm-backend.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

/** Three gates before one middleware: `allow` and `deny` by default, and one that names no status. */
async function startGates(scope: Scope, url: string, MIDDLEWARE: string) {
  const start = async (more: Environment) =>
    (await startGate(scope, { BACKEND_URL: `${url}/auth`, MIDDLEWARE, ...more })).port
  return {
    allow: await start({ DEFAULT_ACTION: 'allow' }),
    deny: await start({}),
    named: await start({ DEFAULT_ACTION: 'allow', UNAVAILABLE_STATUS: '' }),
  }
}

describe('php-fpm behind its nginx is stopped', () => {
  const gates = forSuite(async (scope) => {
    const { url, fpm } = await startPhpFpm(scope)
    const started = await Promise.all(
      middlewares.map(async (name) => [name, await startGates(scope, url, name)] as const),
    )
    for (const [, { allow, deny, named }] of started)
      for (const port of [allow, deny, named]) {
        const playing = { userAgent: 'playing', uri: '/live/index.m3u8?token=good' }
        assert.equal((await askGate(port, playing)).reason, 'backend-200')
        assert.equal((await askGate(port, { uri: '/live/index.m3u8?token=bad' })).reason, 'backend-403')
      }
    await fpm.stop()
    return { ...Object.fromEntries(started) } as Record<string, (typeof started)[number][1]>
  })

  const newcomer = { uri: '/live/index.m3u8?token=good1', userAgent: 'newcomer' }
  const told = async (port: number): Promise<string> => {
    const { status, source, reason } = await askGate(port, newcomer)
    return `${status} ${source} ${reason}`
  }

  for (const name of middlewares) {
    const isPreset = name !== 'custom'
    test(`MIDDLEWARE=${name}: ${isPreset ? 'the default action decides' : 'a 502 denies, as in Alta'}`, async () => {
      const { allow = 0, deny = 0 } = gates[name] ?? {}
      assert.equal(await told(allow), isPreset ? '200 default unavailable-status' : '403 backend backend-502')
      assert.equal(await told(deny), isPreset ? '403 default unavailable-status' : '403 backend backend-502')
    })

    test(`MIDDLEWARE=${name}: UNAVAILABLE_STATUS= of the operator counts more`, async () => {
      assert.equal(await told(gates[name]?.named ?? 0), '403 backend backend-502')
    })
  }

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
