import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, type ClientRequest, request } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const LARGE = 100_000
const page = 'you have not paid'
const files = { '/live/1.ts': 'the film', '/page.html': page }

/**
 * Lines of a server or of http that all locations inherit, `/_alta_auth` and the on-failure location
 * included.
 */
const inherited = `
  recursive_error_pages on; error_page 403 404 500 =200 /page.html; proxy_intercept_errors on;
  proxy_bind 192.0.2.1; proxy_store on; proxy_next_upstream off; proxy_next_upstream_tries 1; proxy_set_header X-Original-Ip 9.9.9.9;
  proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k; proxy_limit_rate 1; proxy_read_timeout 1ms;
  proxy_pass_request_headers on; proxy_set_body "a body"; proxy_cache_bypass 1; proxy_cache_valid any 1h; proxy_hide_header X-Auth-Verdict;
  client_max_body_size 1k; limit_req zone=requests burst=1000; limit_conn connections 100;
  add_header A b always; gzip on; gzip_types *; gzip_min_length 0; if_modified_since before; etag off; ssi on; ssi_types *;
  sub_filter xyz b; sub_filter_types *; absolute_redirect off; underscores_in_headers on; ignore_invalid_headers off;
  location = /page.html { client_max_body_size 1m; }
  location / { LOCATION client_max_body_size 1m; dav_methods PUT; }
`
const zones = `limit_req_zone $binary_remote_addr zone=requests:1m rate=1000r/s; limit_conn_zone $binary_remote_addr zone=connections:1m;`

for (const verdictCache of [false, true]) {
  describe(`under lines of the server that every location inherits, ${verdictCache ? 'with the verdict cache' : 'without a cache'}`, () => {
    const backend = forSuite((scope) => startBackend(scope))
    const gate = forSuite((scope) => startGate(scope, { BACKEND_URL: backend.url }))
    const nginx = forSuite(async (scope) => {
      backend.answer = hasToken('good')
      const gates = [`127.0.0.1:${await findFreePort()}`, gate.address]
      return startNginx(scope, { gates, verdictCache, server: inherited, http: zones, files })
    })
    const send = (token: string, viewer: string, more: Partial<ClientRequest> = {}): Promise<ClientAnswer> =>
      request({
        port: nginx.port,
        target: `/live/1.ts?token=${token}`,
        version: 'HTTP/1.0',
        headers: [`User-Agent: ${viewer}`],
        ...more,
      })

    test('the verdict counts, with one gate of two', async () => {
      for (let count = 0; count < 12; count++) {
        const viewers = [newViewer(), newViewer()] as const
        assert.match((await send('good', viewers[0])).body, /^the film/)
        assert.equal((await send('bad', viewers[1])).body, page)
        assert.match(
          await accessLineOf(nginx, viewers[0]),
          / verdict=allow source=backend reason=backend-200 /,
        )
        assert.match(
          await accessLineOf(nginx, viewers[1]),
          / verdict=deny source=backend reason=backend-403 /,
        )
      }
      for (const { headers } of backend.asked) assert.equal(headers['X-Real-Ip'], '127.0.0.1')
    })

    test('a body that only its own location takes is no 500', async () => {
      for (const [token, status] of [
        ['good', 204],
        ['bad', 200],
      ] as const) {
        const viewer = newViewer()
        const headers = [`User-Agent: ${viewer}`, `Content-Length: ${LARGE}`]
        const body = 'x'.repeat(LARGE)
        assert.equal((await send(token, viewer, { method: 'PUT', headers, body })).status, status)
        assert.match(await accessLineOf(nginx, viewer), / source=backend /)
      }
    })

    test('without a gate everybody is refused', async () => {
      await gate.service.stop()
      const viewer = newViewer()
      assert.equal((await send('good', viewer)).body, page)
      assert.match(await accessLineOf(nginx, viewer), / verdict=deny source=nginx reason=gate-unavailable /)
    })
  })
}
