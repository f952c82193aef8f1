import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { startPhp } from '../support/php.ts'
import { forSuite } from '../support/scope.ts'
import { until } from '../support/until.ts'

const script = fileURLToPath(new URL('../../examples/auth.php', import.meta.url))

describe("Cesbo's example in PHP behind the shipped nginx files", () => {
  const php = forSuite((scope) => startPhp(scope, script))
  const gate = forSuite((scope) => startGate(scope, { BACKEND_URL: `${php.url}/auth` }))
  const nginx = forSuite((scope) =>
    startNginx(scope, {
      gates: [gate.address],
      files: { '/channel-path/index.m3u8': '#EXTM3U\n' },
    }),
  )
  const play = (query: string, more = {}) =>
    request({ port: nginx.port, target: `/channel-path/index.m3u8${query}`, ...more })

  test('token=123 plays', async () => {
    const answer = await play('?token=123')
    assert.equal(answer.status, 200)
    assert.equal(answer.body, '#EXTM3U\n')
  })

  for (const query of [
    '',
    '?',
    '?token=',
    '?token=1234',
    '?token=0123',
    '?token=123%20',
    '?token[]=123',
    '?Token=123',
    '?token=123&token=4',
  ]) {
    test(`another request is refused: ${query || 'no query'}`, async () => {
      assert.equal((await play(query, { headers: [`User-Agent: ${query.length}`] })).status, 403)
    })
  }

  test('the five values arrive as documented', async () => {
    await play('?token=123', { headers: ['User-Agent: VLC/3.0.21'], host: 'Host: live.example.com' })
    await until('the line', () => php.child.output().includes('VLC/3.0.21'))
    const line = php.child
      .output()
      .split('\n')
      .find((one) => one.includes('VLC/3.0.21'))
    assert.match(
      line ?? '',
      /^allowed session=[\w-]{22} ip=127\.0\.0\.1 path=\/channel-path\/index\.m3u8 origin=http:\/\/live\.example\.com ua=VLC\/3\.0\.21$/,
    )
  })

  test('the access log tells verdict, source, reason and session', async () => {
    await play('?token=123', { headers: ['User-Agent: logged'] })
    await play('?token=bad', { headers: ['User-Agent: logged'] })
    await until('two lines', () => nginx.accessLog().filter((line) => line.includes('"logged"')).length === 2)
    const [allowed, denied] = nginx.accessLog().filter((line) => line.includes('"logged"'))
    assert.match(
      allowed ?? '',
      / 200 8 verdict=allow source=backend reason=backend-200 session=[\w-]{22} user= request=[0-9a-f]{32} "logged"$/,
    )
    assert.match(
      denied ?? '',
      / 403 \d+ verdict=deny source=backend reason=backend-403 session=[\w-]{22} user= request=[0-9a-f]{32} "logged"$/,
    )
    assert.doesNotMatch(nginx.accessLog().join('\n'), /token/)
  })
})
