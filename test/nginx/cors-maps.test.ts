import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { testFragment } from '../support/documentation/test-fragment.ts'
import { headersOf } from '../support/headers-of.ts'
import { newViewer, startSite } from '../support/site.ts'

const TV = 'https://tv.example.com'
const originMap = `map $http_origin $alta_auth_cors_origin { default ""; "${TV}" "${TV}"; }`

describe("the operator's maps for cors.conf", () => {
  const server = `location /live/ {
    include /etc/nginx/alta-auth/location.conf;
    include /etc/nginx/alta-auth/cors.conf;
  }`

  test('without a map of origins nginx does not start, and says which variable is missing', async (t) => {
    assert.match(await testFragment(t, { server }), /unknown "alta_auth_cors_origin" variable/)
    assert.equal(await testFragment(t, { server, http: originMap }), '')
  })

  test('a regular expression in the map does not change what the location serves', async (t) => {
    const packager = await startBackend(t)
    const site = await startSite(t, {
      nginx: {
        server: `location ~ ^/channel/(.*)$ { LOCATION CORS proxy_pass ${packager.url}/$1; }`,
        http: 'map $http_origin $alta_auth_cors_origin { "~^https://([a-z]+)\\.example\\.com$" $http_origin; default ""; }',
      },
    })
    for (const origin of [TV, 'https://other.example.com']) {
      const headers = [`Origin: ${origin}`, `User-Agent: ${newViewer()}`]
      const answer = await request({ port: site.nginx.port, target: '/channel/news.ts', headers })
      assert.deepEqual([answer.status, headersOf(answer, 'Access-Control-Allow-Origin')], [200, [origin]])
    }
    assert.deepEqual(
      packager.asked.map(({ target }) => target),
      ['/news.ts', '/news.ts'],
    )
  })

  for (const [where, wrap] of [
    ['before http.conf', (own: string, http: string) => own + http],
    ['after it', (own: string, http: string) => http + own],
  ] as const) {
    test(`more request headers, with the map ${where}`, async (t) => {
      const http = wrap('map "" $alta_auth_cors_headers { default "X-Device, X-App"; }', originMap)
      const site = await startSite(t, { nginx: { server: 'location / { LOCATION CORS }', http } })
      const headers = [`Origin: ${TV}`]
      const answer = await request({ port: site.nginx.port, target: '/', headers, method: 'OPTIONS' })
      const names = headersOf(answer, 'Access-Control-Allow-Headers').join(', ').split(', ')
      assert.deepEqual(names.slice(-2), ['X-Device', 'X-App'])
    })
  }
})
