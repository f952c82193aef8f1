import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Environment } from '../../src/config/read-settings.ts'
import { checkSite, startCheckedSite, textOf } from '../support/checked-site.ts'
import type { Edit } from '../support/configured-nginx.ts'
import type { Scope } from '../support/scope.ts'

const http = 'include /etc/nginx/alta-auth/http.conf;'
const masked: Edit = ['site.conf', http, `${http}\ninclude /etc/nginx/alta-auth/credentials-http.conf;`]
const set: Environment = { CREDENTIAL_PATTERN: '^/(?:live|movie|series)/([^/]+)/([^/]+)/' }

const located = (pattern: string): Edit => ['site.conf', '    location /live/ {', `    location ${pattern} {`]
const rewritten = (line: string): Edit => [
  'site.conf',
  '    location /live/ {',
  `    location /live/ {\n        ${line}`,
]

async function check(scope: Scope, edits: readonly Edit[], settings: Environment = {}) {
  const { environment } = await startCheckedSite(scope, { settings, nginx: { edits } })
  const findings = await checkSite(environment)
  const result = findings.find(({ name }) => name === 'path-credentials')?.result
  return { result, text: textOf(findings, 'path-credentials') }
}

describe('check, without CREDENTIAL_PATTERN,', () => {
  const likely: readonly Edit[] = [
    located('~ ^/(live|movie|series)/(.+)/(.+)/(.+)$'),
    located('~ ^/(?:movie|live)/[^/]+/[^/]+/'),
    located('~ "^/live/(?<username>[^/]+)/(?<password>[^/]+)/"'),
    rewritten('rewrite ^/live/(.*)/(.*)/(.*)$ /stream.php?username=$1&password=$2&stream=$3;'),
    rewritten('rewrite ^/(live|series)/([^/]*)/([^/]*)/(.*)$ /$1/$4;'),
  ]
  for (const edit of likely)
    test(`warns of ${edit[2].split('\n').at(-1)?.trim()}`, async (t) => {
      const { result, text } = await check(t, [edit])
      assert.equal(result, 'warning')
      assert.match(text, /\(site\.conf:\d+\) looks as if paths held user and password/)
      assert.match(text, /CREDENTIAL_PATTERN='\^.*docs\/backends\.md/s)
    })

  const usual: readonly Edit[] = [
    located('/live/'),
    located('~ ^/live/([^/]+)/([^/]+)/'),
    located('~ ^/(live|vod|radio)/([^/]+)/([^/]+)/'),
    located('~ ^/(live|movie)/([^/]+)/'),
    located('~ "^/live/(?<channel>[^/]+)/(?<quality>[^/]+)/"'),
    rewritten('rewrite ^/live/(.*)/(.*)$ /$1-$2;'),
    rewritten('rewrite ^/live/(.*)/(.*)$ /play.php?channel=$1&quality=$2;'),
  ]
  for (const edit of usual)
    test(`says nothing of ${edit[2].split('\n').at(-1)?.trim()}`, async (t) => {
      assert.equal((await check(t, [edit])).result, 'ok')
    })
})

describe('check, with CREDENTIAL_PATTERN,', () => {
  test('warns of a log that shows paths as they are', async (t) => {
    const { result, text } = await check(t, [], set)
    assert.equal(result, 'warning')
    assert.match(text, /writes the credentials.*include credentials-http\.conf behind http\.conf/s)
  })

  test('is content with credentials-http.conf', async (t) => {
    assert.equal((await check(t, [masked], set)).result, 'ok')
  })

  test('warns where http.conf is included behind it', async (t) => {
    const turned: Edit = ['site.conf', http, `include /etc/nginx/alta-auth/credentials-http.conf;\n${http}`]
    assert.equal((await check(t, [turned], set)).result, 'warning')
  })
})
