import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { request, requestHttp2 } from '../support/client.ts'
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

  const origins: [string, object, string][] = [
    ['http without a port', { host: 'Host: tv.example.com' }, 'http://tv.example.com'],
    ['http with a port', { host: 'Host: tv.example.com:8080' }, 'http://tv.example.com:8080'],
    ['https without a port', { host: 'Host: tv.example.com', tls: true }, 'https://tv.example.com'],
    ['https with a port', { host: 'Host: tv.example.com:8443', tls: true }, 'https://tv.example.com:8443'],
    ['an IPv6 host', { host: 'Host: [::1]:8080', address: '::1' }, 'http://[::1]:8080'],
    ['upper case', { host: 'Host: TV.Example.Com' }, 'http://tv.example.com'],
  ]
  for (const [what, how, origin] of origins) {
    test(`X-Real-Origin: ${what}`, async () => {
      const userAgent = `origin-${what.replaceAll(' ', '-')}`
      const tls = 'tls' in how
      const port = tls ? nginx.tlsPort : nginx.port
      await play('?token=123', { ...how, port, headers: [`User-Agent: ${userAgent}`] })
      await until('the line', () => php.child.output().includes(`ua=${userAgent}`))
      const line = php.child
        .output()
        .split('\n')
        .find((one) => one.includes(`ua=${userAgent}`))
      assert.match(line ?? '', new RegExp(` origin=${origin.replace(/[.[\]]/g, '\\$&')} `))
    })
  }

  test('an absolute-form request names the origin, whatever the Host header says', async () => {
    const userAgent = 'absolute-form'
    const target = 'http://one.example.com:81/channel-path/index.m3u8?token=123'
    await request({
      port: nginx.port,
      target,
      host: 'Host: two.example.com:82',
      headers: [`User-Agent: ${userAgent}`],
    })
    await until('the line', () => php.child.output().includes(userAgent))
    assert.match(php.child.output(), / origin=http:\/\/one\.example\.com ua=absolute-form/)
  })

  test('an IPv6 viewer is asked about with the IPv6 address', async () => {
    await play('?token=123', { address: '::1', headers: ['User-Agent: six'] })
    await until('the line', () => php.child.output().includes('ua=six'))
    assert.match(php.child.output(), / ip=::1 .* ua=six/)
  })

  test('HTTP/2 plays and is refused alike', async () => {
    assert.equal(
      await requestHttp2(nginx.tlsPort, '/channel-path/index.m3u8?token=123', { 'user-agent': 'h2' }),
      200,
    )
    assert.equal(
      await requestHttp2(nginx.tlsPort, '/channel-path/index.m3u8?token=12', { 'user-agent': 'h2b' }),
      403,
    )
    await until('the line', () => php.child.output().includes('ua=h2'))
    assert.match(php.child.output(), new RegExp(` origin=https://localhost:${nginx.tlsPort} ua=h2`))
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
