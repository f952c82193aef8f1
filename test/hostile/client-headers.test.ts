import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request, requestHttp2 } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, questionsDuring, startSite } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

const path = '/index.m3u8'

/** Every name with a meaning for nginx, gate and backend, or for some proxy. */
const names = wordsOf(`
  X-Session-Id X-Real-Ip X-Real-Path X-Real-Origin X-Real-Ua X-User-Id X-AuthDuration
  X-Original-Ip X-Original-Uri X-Original-Path X-Original-Origin X-Original-Site X-Original-Ua X-Original-Playback-Id
  X-Original-Request-Id X-Request-Id
  X-Auth-Verdict X-Auth-Source X-Auth-Reason X-Accel-Expires X-Accel-Redirect X-Accel-Buffering
  X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto Forwarded Via X-Original-URL X-Rewrite-URL
  Cookie Authorization Proxy-Authorization Referer Origin Accept Accept-Language X-Custom`)
/** nginx itself refuses a second one. */
const onlyOnce = 'Authorization'
const asUnderscores = names.map((name) => name.replaceAll('-', '_'))

const spoofs: [what: string, headers: string[]][] = [
  ['every name', names.map((name) => `${name}: spoofed`)],
  ['every name in lower case', names.map((name) => `${name.toLowerCase()}: spoofed`)],
  ['every name with underscores', asUnderscores.map((name) => `${name}: spoofed`)],
  ['some names with underscores', names.map((name) => `${name.replace('-', '_')}: spoofed`)],
  ['names twice', [...names, ...names].filter((name) => name !== onlyOnce).map((name) => `${name}: spoofed`)],
  ['Connection: X-Original-Ip', ['Connection: X-Original-Ip']],
  ['Connection: X-Original-Path, X-Original-Ua', ['Connection: X-Original-Path, X-Original-Ua']],
  ['Connection: close, X-Real-Ip, Host', ['Connection: close, X-Real-Ip, Host']],
  ['TE and Upgrade', ['TE: trailers', 'Upgrade: websocket', 'Connection: Upgrade, TE']],
]

for (const underscores of ['off', 'on']) {
  describe(`with underscores_in_headers ${underscores}, a client's headers change nothing`, () => {
    const site = forSuite(async (scope) => {
      const server = `underscores_in_headers ${underscores}; location / { LOCATION }`
      const site = await startSite(scope, { nginx: { server } })
      site.backend.answer = ({ headers }, response) => {
        response.writeHead(headers['X-Real-Ip'] === '127.0.0.1' ? 200 : 403).end()
      }
      return site
    })

    const assertAskedPlainly = async (
      viewer: string,
      origin: string,
      play: () => Promise<number>,
    ): Promise<void> => {
      const asked = await questionsDuring(site.backend, async () => assert.equal(await play(), 200))
      assert.equal(asked.length, 1)
      const headers = Object.entries(asked[0]?.headers ?? {}).map(([name, value]) => [
        name.toLowerCase(),
        value,
      ])
      assert.equal(headers.length, 8, 'each header once')
      const { 'x-session-id': id, ...others } = Object.fromEntries(headers) as Record<string, string>
      assert.match(id ?? '', /^[\w-]{22}$/)
      assert.deepEqual(others, {
        host: `127.0.0.1:${site.backend.port}`,
        connection: 'keep-alive',
        accept: '*/*',
        'x-real-ip': '127.0.0.1',
        'x-real-path': path,
        'x-real-origin': origin,
        'x-real-ua': viewer,
      })
      assert.match(
        await accessLineOf(site.nginx, viewer),
        / verdict=allow source=backend reason=backend-200 /,
      )
    }

    for (const [what, headers] of spoofs) {
      test(`that the backend sees: ${what}`, async () => {
        const viewer = newViewer()
        await assertAskedPlainly(viewer, `http://localhost:${site.nginx.port}`, async () => {
          const lines = [`User-Agent: ${viewer}`, ...headers]
          const answer = await request({ port: site.nginx.port, target: path, headers: lines })
          assert.doesNotMatch(answer.head, /spoofed|X-Auth|X-Session|X-Accel|X-User/i)
          return answer.status
        })
      })
    }

    test('that the backend sees over HTTP/2', async () => {
      const viewer = newViewer()
      const headers = Object.fromEntries(
        [...names, ...asUnderscores].map((name) => [name.toLowerCase(), 'spoofed']),
      )
      await assertAskedPlainly(viewer, `https://localhost:${site.nginx.tlsPort}`, () =>
        requestHttp2(site.nginx.tlsPort, path, { ...headers, 'user-agent': viewer }),
      )
    })

    test('about a deny', async () => {
      const headers = [...new Set([...names, ...asUnderscores])].map((name) => `${name}: 127.0.0.1`)
      const answer = await request({ port: site.nginx.port, target: path, address: '::1', headers })
      assert.equal(answer.status, 403)
      assert.doesNotMatch(answer.head, /X-Auth|X-Session|X-Accel|X-User/i)
    })
  })
}
