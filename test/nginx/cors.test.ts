import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { headersOf } from '../support/headers-of.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, type Site, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const TV = 'https://tv.example.com'
const originMap = `map $http_origin $alta_auth_cors_origin { default ""; "${TV}" "${TV}"; }`
const film = 'the film'

/** Locations as operators write them. `ORIGIN` is a packager that sends CORS headers of its own. */
const locations = `
  location /open/     { }
  location /live/     { LOCATION CORS add_header Cache-Control no-cache always; }
  location /rewritten/ { rewrite ^/rewritten/(.*)$ /live/$1; LOCATION CORS root www; }
  location /alias/    { LOCATION CORS alias www/live/; }
  location /tried/    { LOCATION CORS try_files $uri /live/1.ts; }
  location /nested/   { LOCATION CORS location ~ \\.ts$ { LOCATION CORS } }
  location /packager/ { LOCATION CORS proxy_pass ORIGIN/; }
  location /kept/     { LOCATION CORS proxy_pass ORIGIN/; proxy_cache kept; proxy_cache_valid 1m; }
  location /named/    { LOCATION CORS try_files /.none @packager; }
  location @packager  { CORS proxy_pass ORIGIN; }
  location /page/     { LOCATION CORS error_page 403 /refused/page.html; }
  location /refused/  { CORS }
`

/** What a browser reads of the CORS headers. A header twice is shown as such. */
function seenBy(answer: ClientAnswer): Record<string, string> {
  const names = ['Allow-Origin', 'Allow-Credentials'].map((name) => `Access-Control-${name}`)
  const seen = [...names, 'Vary'].map((name) => [name, headersOf(answer, name).join(' and ')])
  return Object.fromEntries(seen) as Record<string, string>
}

const allowed = {
  'Access-Control-Allow-Origin': TV,
  'Access-Control-Allow-Credentials': 'true',
  Vary: 'Origin',
}
const notAllowed = {
  'Access-Control-Allow-Origin': '',
  'Access-Control-Allow-Credentials': '',
  Vary: 'Origin',
}

for (const verdictCache of [false, true]) {
  describe(`cors.conf, ${verdictCache ? 'with' : 'without'} the verdict cache`, () => {
    const packager = forSuite((scope) => startBackend(scope))
    const site = forSuite(async (scope) => {
      packager.answer = ({ headers }, response) => {
        const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Credentials': 'true' }
        const code = headers['Range'] === 'bytes=99-' ? 416 : 200
        response.writeHead(code, { ...cors, 'Content-Length': film.length }).end(film)
      }
      const folders = ['live', 'tried', 'nested', 'page']
      const files = Object.fromEntries(folders.map((folder) => [`/${folder}/1.ts`, film]))
      const site = await startSite(scope, {
        nginx: {
          server: locations.replaceAll('ORIGIN', packager.url),
          files: { ...files, '/refused/page.html': 'you have not paid' },
          http: `${originMap} proxy_cache_path kept keys_zone=kept:1m;`,
          verdictCache,
        },
      })
      site.backend.answer = hasToken('good')
      return site
    })
    const ask = (target: string, more: readonly string[] = [], method = 'GET'): Promise<ClientAnswer> =>
      request({
        port: site.nginx.port,
        target,
        method,
        headers: [`User-Agent: ${newViewer()}`, ...(more.length > 0 ? more : [`Origin: ${TV}`])],
      })

    const places = ['live', 'rewritten', 'alias', 'tried', 'nested', 'packager', 'kept', 'named', 'page']
    for (const place of places) {
      test(`/${place}/: an allowed origin reads the stream and the refusal`, async () => {
        const target = `/${place}/1.ts`
        const good = await ask(`${target}?token=good`)
        assert.deepEqual([good.status, good.body, seenBy(good)], [200, film, allowed])
        const bad = await ask(`${target}?token=bad`)
        assert.deepEqual([bad.status, bad.body.includes(film), seenBy(bad)], [403, false, allowed])
      })

      test(`/${place}/: the preflight is answered by nginx, without a body`, async () => {
        const before = packager.asked.length
        const asked = await questionsDuring(site.backend, async () => {
          for (const token of ['good', 'bad']) {
            const method = 'Access-Control-Request-Method: GET'
            const answer = await ask(`/${place}/1.ts?token=${token}`, [`Origin: ${TV}`, method], 'OPTIONS')
            assert.deepEqual([answer.status, answer.body, seenBy(answer)], [204, '', allowed])
          }
        })
        assert.deepEqual([asked, packager.asked.length], [[], before])
      })
    }

    test('no other origin reads anything, and none is repeated', async () => {
      const others = ['https://evil.example', 'https://tv.example.com.evil.example', `${TV}:8443`, `${TV}/`]
      for (const origin of [...others, 'http://tv.example.com', 'null', `${TV}, ${TV}`, '*', '']) {
        for (const target of ['/live/1.ts', '/packager/1.ts']) {
          for (const token of ['good', 'bad']) {
            const { status, ...rest } = await ask(`${target}?token=${token}`, [`Origin: ${origin}`])
            assert.equal(status, token === 'good' ? 200 : 403)
            assert.deepEqual(seenBy({ status, ...rest }), notAllowed, origin)
          }
          const preflight = await ask(target, [`Origin: ${origin}`], 'OPTIONS')
          assert.deepEqual([preflight.status, preflight.body], [204, ''])
          assert.deepEqual(seenBy(preflight), notAllowed, origin)
        }
      }
    })

    test('the preflight names methods and headers, and holds for two hours', async () => {
      const answer = await ask('/live/1.ts', [], 'OPTIONS')
      assert.deepEqual(headersOf(answer, 'Access-Control-Allow-Methods'), ['GET, HEAD'])
      assert.deepEqual(headersOf(answer, 'Access-Control-Max-Age'), ['7200'])
      const names = headersOf(answer, 'Access-Control-Allow-Headers').join(', ').split(', ')
      for (const name of ['Authorization', 'Range', 'X-Playback-Session-Id', 'CMCD-Session'])
        assert.ok(names.includes(name), name)
      assert.ok(!names.includes('*') && !names.includes(''))
      assert.equal((await ask('/live/none/at/all', [], 'OPTIONS')).status, 204)
    })

    test('404, HEAD, ranges and a file that did not change have the headers', async () => {
      const missing = await ask('/live/2.ts?token=good')
      assert.deepEqual([missing.status, seenBy(missing)], [404, allowed])
      const head = await ask('/live/1.ts?token=good', [], 'HEAD')
      assert.deepEqual([head.status, head.body, seenBy(head)], [200, '', allowed])
      const part = await ask('/live/1.ts?token=good', [`Origin: ${TV}`, 'Range: bytes=4-7'])
      assert.deepEqual([part.status, part.body, seenBy(part)], [206, 'film', allowed])
      assert.match(headersOf(part, 'Access-Control-Expose-Headers').join(), /\bContent-Range\b/)
      const beyond = await ask('/packager/1.ts?token=good', [`Origin: ${TV}`, 'Range: bytes=99-'])
      assert.deepEqual([beyond.status, seenBy(beyond)], [416, allowed])
      const etag = `If-None-Match: ${headersOf(part, 'ETag')[0]}`
      const same = await ask('/live/1.ts?token=good', [`Origin: ${TV}`, etag])
      assert.deepEqual([same.status, seenBy(same)], [304, allowed])
    })

    test("the operator's own header of the location is kept", async () => {
      for (const token of ['good', 'bad'])
        assert.deepEqual(headersOf(await ask(`/live/1.ts?token=${token}`), 'Cache-Control'), ['no-cache'])
    })

    test("what the packager's cache keeps for one origin is not for another", async () => {
      assert.deepEqual(seenBy(await ask('/kept/shared.ts?token=good')), allowed)
      const other = await ask('/kept/shared.ts?token=good', ['Origin: https://evil.example'])
      assert.deepEqual(seenBy(other), notAllowed)
    })
  })
}

describe('cors.conf while no gate is there', () => {
  for (const onFailure of ['deny', 'allow'] as const) {
    test(`on-failure-${onFailure}.conf`, async (t) => {
      const site: Site = await startSite(t, {
        nginx: { server: 'location / { LOCATION CORS }', http: originMap, onFailure },
      })
      writeFileSync(join(site.nginx.root, '1.ts'), film)
      await site.gate.service.stop()
      const headers = [`Origin: ${TV}`]
      const answer = await request({ port: site.nginx.port, target: '/1.ts', headers })
      assert.deepEqual([answer.status, seenBy(answer)], [onFailure === 'deny' ? 403 : 200, allowed])
      const preflight = await request({ port: site.nginx.port, target: '/1.ts', headers, method: 'OPTIONS' })
      assert.deepEqual([preflight.status, preflight.body, seenBy(preflight)], [204, '', allowed])
    })
  }

  test("nginx's own trouble (500)", async (t) => {
    const server = 'if ($uri = /_alta_auth) { return 500; } location / { LOCATION CORS }'
    const site = await startSite(t, { nginx: { server, http: originMap } })
    const answer = await request({ port: site.nginx.port, target: '/', headers: [`Origin: ${TV}`] })
    assert.deepEqual([answer.status, seenBy(answer)], [500, allowed])
  })
})
