import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readNginx } from '../../src/check/nginx/read-nginx.ts'
import { runNginx } from '../../src/check/nginx-conf/run-nginx.ts'
import { configureNginx } from '../support/configured-nginx.ts'
import { readPage, rowsBelow } from '../support/documentation/pages.ts'

const http = 'include /etc/nginx/alta-auth/http.conf;'
const location = 'include /etc/nginx/alta-auth/location.conf;'
const server = (lines: string): string => `server { listen 80;
include /etc/nginx/alta-auth/server.conf; include /etc/nginx/alta-auth/on-failure-deny.conf;
${lines} }`
const long = 'a-name-of-a-site-that-is-longer-than-one-line-of-the-cache.of-the-processor.example.com'

/** A site, what nginx says about it, and the remedy of check. */
const complaints: readonly (readonly [site: string, message: string, remedy: RegExp])[] = [
  [
    `${http} ${server(`location /live/ { auth_request /mine; ${location} }`)}`,
    '"auth_request" directive is duplicate',
    /auth_request of its own beside location\.conf, or includes it twice/,
  ],
  [
    `${http} map_hash_bucket_size 128; ${server('')}`,
    '"map_hash_bucket_size" directive is duplicate',
    /above the include of http\.conf/,
  ],
  [
    `${http} map $host $site { ${long} 1; } ${server('')}`,
    'could not build map_hash, you should increase map_hash_bucket_size: 64',
    /map_hash_bucket_size 128; at http level, above the include of http\.conf/,
  ],
  [
    `${http} ${server(`location /live/ { limit_except GET { ${location} } }`)}`,
    '"set" directive is not allowed here',
    /not in if, not in limit_except/,
  ],
  [
    `${http} ${server(`location /live/ { if ($arg_x) { ${location} } }`)}`,
    '"auth_request" directive is not allowed here',
    /not in if, not in limit_except/,
  ],
  [
    `server { listen 80; access_log /var/log/nginx/x.log alta_auth; } ${http}`,
    'unknown log format "alta_auth"',
    /include http\.conf at http level, before what uses it/,
  ],
  [
    `${http} server { listen 80; location /live/ { ${location} } }`,
    'unknown "alta_auth_server_conf" variable',
    /include server\.conf in each server/,
  ],
]

describe('what nginx -t complains about has its remedy in check, and its row in docs/nginx.md:', () => {
  const rows = rowsBelow(readPage('docs/nginx.md').text, 'When nginx -t or the first request complains').map(
    ([cell]) => cell,
  )
  for (const [site, message, remedy] of complaints) {
    test(message, async (t) => {
      const { finding } = readNginx(await runNginx(await configureNginx(t, { gate: '127.0.0.1:9180', site })))
      assert.equal(finding.result, 'failed')
      assert.ok(finding.finding.includes(message), finding.finding)
      assert.match(finding.remedy ?? '', remedy)
      assert.ok(rows.includes(`\`${message}\``), `docs/nginx.md has no row for ${message}`)
    })
  }

  test('unknown directive "auth_request", of an nginx without the module', () => {
    const stderr =
      'nginx: [emerg] unknown directive "auth_request" in /etc/nginx/alta-auth/location.conf:26\n'
    const { finding } = readNginx({ kind: 'ran', binary: 'nginx', code: 1, stdout: '', stderr })
    assert.match(finding.remedy ?? '', /lacks the module auth_request/)
    assert.ok(rows.includes('`unknown directive "auth_request"`'))
  })

  test('map_hash_bucket_size above our include is no trap', async (t) => {
    const site = `map_hash_bucket_size 128; ${http} map $host $site { ${long} 1; } ${server('')}`
    const { finding } = readNginx(await runNginx(await configureNginx(t, { gate: '127.0.0.1:9180', site })))
    assert.equal(finding.result, 'ok', finding.finding)
  })
})
