import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refusedReasons, unavailableReasons } from '../../src/verdict.ts'
import { status } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { headersOf } from '../support/headers-of.ts'
import { startNamingGate } from '../support/naming-gate.ts'
import { startNginx } from '../support/nginx.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, type Site, type SiteOptions, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const TV = 'https://tv.example.com'
const server = `
  RETRY
  location /live/  { LOCATION add_header X-Auth-Reason $alta_auth_reason always; }
  location /cors/  { LOCATION CORS }
  location /own/   { LOCATION error_page 404 = @missing; error_page 403 = @alta_auth_refused; }
  location /closed/ { deny all; }
  location /list/  { LOCATION }
  location @missing { return 404; }
`
const http = `map $http_origin $alta_auth_cors_origin { default ""; "${TV}" "${TV}"; }`
const files = Object.fromEntries(
  ['live', 'cors', 'own', 'list'].map((folder) => [`/${folder}/1.m3u8`, '#EXTM3U\n']),
)

/** Status, Retry-After and the allowed origin of an answer; a header twice is shown as such. */
function told(answer: ClientAnswer): [number, string, string] {
  const [retry, origin] = ['Retry-After', 'Access-Control-Allow-Origin'].map((name) =>
    headersOf(answer, name).join(' and '),
  )
  return [answer.status, retry ?? '', origin ?? '']
}

function ask({ nginx }: Pick<Site, 'nginx'>, target: string, method = 'GET'): Promise<ClientAnswer> {
  const headers = [`User-Agent: ${newViewer()}`, `Origin: ${TV}`]
  return request({ port: nginx.port, target, method, headers })
}

for (const verdictCache of [false, true]) {
  describe(`retry.conf, ${verdictCache ? 'with' : 'without'} the verdict cache`, () => {
    const start = (scope: Parameters<typeof startSite>[0], options: SiteOptions = {}): Promise<Site> =>
      startSite(scope, { ...options, nginx: { server, http, files, verdictCache, ...options.nginx } })

    const site = forSuite((scope) => start(scope, { environment: { UNAVAILABLE_STATUS: '502' } }))

    test('a deny of the backend stays a 403, an allow is not touched', async () => {
      site.backend.answer = hasToken('good')
      for (const folder of ['live', 'own']) {
        assert.deepEqual(told(await ask(site, `/${folder}/1.m3u8?token=bad`)), [403, '', ''])
        assert.deepEqual(told(await ask(site, `/${folder}/1.m3u8?token=good`)), [200, '', ''])
      }
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=bad')), [403, '', TV])
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=good')), [200, '', TV])
      assert.deepEqual(told(await ask(site, '/own/2.m3u8?token=good')), [404, '', ''])
    })

    test('other 403 of the server stay as they are', async () => {
      assert.deepEqual(told(await ask(site, '/closed/1.m3u8')), [403, '', ''])
      assert.deepEqual(told(await ask(site, '/list/')), [403, '', ''])
    })

    test('while the backend is unavailable unknown viewers get 503, with the headers of cors.conf', async () => {
      site.backend.answer = status(502)
      for (const folder of ['live', 'own'])
        assert.deepEqual(told(await ask(site, `/${folder}/1.m3u8?token=good`)), [503, '2', ''])
      for (const method of ['GET', 'HEAD', 'POST'])
        assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=good', method)), [503, '2', TV], method)
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=good', 'OPTIONS')), [204, '', TV])
      await site.backend.stop()
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=better')), [503, '2', TV])
      const line = / 503 \d+ verdict=deny source=default reason=unavailable-\w+ /
      assert.ok(site.nginx.accessLog().some((text) => line.test(text)))
    })

    test('whom DEFAULT_ACTION=allow lets in, another 403 stays final for', async (t) => {
      const environment = { UNAVAILABLE_STATUS: '502', DEFAULT_ACTION: 'allow' }
      const site = await start(t, { environment })
      site.backend.answer = status(502)
      assert.deepEqual(told(await ask(site, '/live/1.m3u8?token=good')), [200, '', ''])
      assert.deepEqual(told(await ask(site, '/list/')), [403, '', ''])
    })

    test('while no gate is there, on-failure-deny.conf is a 503 and on-failure-allow.conf lets in', async (t) => {
      for (const onFailure of ['deny', 'allow'] as const) {
        const site = await start(t, { nginx: { onFailure } })
        await site.gate.service.stop()
        const expected = onFailure === 'deny' ? [503, '2', TV] : [200, '', TV]
        assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=good')), expected)
        const bytes = await ask(site, '/cors/%0d%0a.m3u8')
        assert.deepEqual(told(bytes), [403, '', TV], 'control bytes stay final')
      }
    })

    test('recursive_error_pages of the server makes no loop', async (t) => {
      const nginx = { server: `recursive_error_pages on; ${server}` }
      const site = await start(t, { nginx, environment: { UNAVAILABLE_STATUS: '502' } })
      site.backend.answer = status(403)
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=bad')), [403, '', TV])
      site.backend.answer = status(502)
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=good')), [503, '2', TV])
      await site.gate.service.stop()
      assert.deepEqual(told(await ask(site, '/cors/1.m3u8?token=better')), [503, '2', TV])
    })
  })
}

test('retry.conf: of all reasons, these are only for now', async (t) => {
  const nginx = await startNginx(t, { gates: [await startNamingGate(t)], server, http })
  const final = ['backend-403', 'backend-503', 'remembered', 'bad-request', 'session-limit', 'control-bytes']
  const unavailable = unavailableReasons.map((reason) => `unavailable-${reason}`)
  const retried: string[] = []
  for (const reason of [
    ...final,
    ...unavailable,
    ...refusedReasons,
    'too-many-questions-',
    'not-unavailable-dns',
  ]) {
    const answer = told(await ask({ nginx }, `/cors/1.m3u8?${reason}`))
    if (answer[0] === 503) retried.push(reason)
    assert.deepEqual(answer, answer[0] === 503 ? [503, '2', TV] : [403, '', TV], reason)
  }
  assert.deepEqual(retried, [...unavailable, 'too-many-questions'])
})
