import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { startNginx } from '../support/nginx.ts'
import { questionsDuring, type Site, startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/**
 * Lines of an operator at http or server level, for an origin or for logs. nginx passes all of them on to
 * every location.
 */
const around: readonly string[] = [
  `proxy_cache segments; proxy_cache_key $uri; proxy_cache_lock on; proxy_cache_use_stale error updating http_403;
  proxy_set_header X-Original-Ip 192.0.2.1; proxy_set_header X-Real-Ip $remote_addr; proxy_set_header Host $host;
  proxy_hide_header X-Auth-Verdict; proxy_hide_header X-Auth-Reason; proxy_redirect / /elsewhere/; proxy_cookie_path / /x;
  gzip on; gzip_types *; etag on; if_modified_since before; max_ranges 1; expires 1h; add_header X-Site here always;
  error_page 401 403 404 =200 /open/sorry.html; proxy_intercept_errors on; proxy_force_ranges on;`,
  `proxy_cache segments; proxy_cache_valid any 10m; proxy_ignore_headers X-Accel-Expires Cache-Control;
  proxy_buffer_size 4k; proxy_request_buffering off; proxy_ignore_client_abort on; proxy_method POST; proxy_http_version 1.0;
  proxy_pass_request_headers on; proxy_pass_request_body on; proxy_next_upstream off; proxy_read_timeout 1ms;
  proxy_connect_timeout 1ms; ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;
  error_page 403 /open/sorry.html; error_page 500 502 503 504 /open/sorry.html; server_tokens off;`,
  // Server-level rewrites run for the auth location, too. This one exempts it, as the head of server.conf
  // demands.
  `proxy_buffering off; chunked_transfer_encoding off;
  rewrite ^/(?!index.m3u8$|open/|_alta_auth$)(.*)$ /open/sorry.html last;`,
]

describe("an operator's settings around the protected location leave the verdicts alone", () => {
  const start = async (t: TestContext, settings: string): Promise<Site> => {
    const site = await startSite(t, {
      nginx: {
        http: `proxy_cache_path ${makeTemporaryFolder(t)} keys_zone=segments:1m;`,
        server: `${settings} location / { LOCATION } location /open/ { }`,
        files: { '/index.m3u8': '#EXTM3U\n', '/open/sorry.html': 'sorry' },
      },
    })
    site.backend.answer = ({ headers }, response) => {
      response.writeHead(headers['X-Real-Ua']?.startsWith('good') ? 200 : 403).end()
    }
    return site
  }
  const play = ({ nginx }: Site, viewer: string, headers: readonly string[] = []): Promise<ClientAnswer> =>
    request({
      port: nginx.port,
      target: '/index.m3u8?token=1',
      headers: [`User-Agent: ${viewer}`, ...headers],
    })

  for (const settings of around) {
    test(settings.slice(0, 60), async (t) => {
      const site = await start(t, settings)
      const asked = await questionsDuring(site.backend, async () => {
        for (const viewer of ['good one', 'bad one', 'good two', 'bad two']) {
          const { body } = await play(site, viewer)
          assert.equal(body === '#EXTM3U\n', viewer.startsWith('good'), `${viewer} got ${body.slice(0, 20)}`)
        }
      })
      assert.deepEqual(
        asked.map(({ headers }) => `${headers['X-Real-Ip']} ${headers['X-Real-Ua']}`),
        ['127.0.0.1 good one', '127.0.0.1 bad one', '127.0.0.1 good two', '127.0.0.1 bad two'],
      )
    })
  }

  test('large_client_header_buffers that let more through than the gate reads: refused, never a failure', async (t) => {
    const site = await start(t, 'large_client_header_buffers 8 64k;')
    const long = 'x'.repeat(60_000)
    const asked = await questionsDuring(site.backend, async () => {
      for (const headers of [[`X-Playback-Session-Id: ${long}`], []]) {
        const answer = await request({
          port: site.nginx.port,
          target: `/${long}`,
          headers: [`User-Agent: good ${long}`, ...headers],
        })
        assert.equal(answer.status, 403)
      }
      assert.equal((await play(site, 'good')).status, 200)
    })
    assert.equal(asked.length, 1)
    for (const line of site.nginx.accessLog().slice(0, 2))
      assert.match(line, / source=gate reason=bad-request /)
  })

  test('a megabyte of headers on the way to a Unix socket: refused as well, not cut off and let in by on-failure-allow', async (t) => {
    const backend = await startBackend(t)
    const address = `unix:${join(makeTemporaryFolder(t), 'gate.sock')}`
    await startGate(t, { BACKEND_URL: backend.url, LISTEN: address })
    const nginx = await startNginx(t, {
      gates: [address],
      onFailure: 'allow',
      http: 'large_client_header_buffers 4 1m;',
    })
    const long = 'x'.repeat(900_000)
    const headers = [`User-Agent: ${long}`, `X-Playback-Session-Id: ${long}`]
    for (let turn = 0; turn < 10; turn++)
      assert.equal((await request({ port: nginx.port, target: '/index.m3u8', headers })).status, 403)
    assert.equal(backend.asked.length, 0)
  })
})
