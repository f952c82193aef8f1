import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { type ClientAnswer, type ClientRequest, request, requestHttp2 } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const film = 'the film'
const page = 'you have not paid'
const files = Object.fromEntries(
  ['live', 'regex', 'nested', 'if', 'break', 'any', 'basic', 'slash', 'slash/deeper', 'cors', 'paid', 'off']
    .map((folder): [string, string] => [`/${folder}/1.ts`, film])
    .concat([
      ['/page.html', page],
      ['/include.html', '<!--# include virtual="/paid/1.ts" -->'],
    ]),
)

/**
 * Locations as operators write them. `ORIGIN` answers with the target that it was asked for, and sends
 * `/accel/…` on to `/live/1.ts`.
 */
const locations = `
  merge_slashes off;
  location / { ssi on; }
  location /live/  { LOCATION }
  location ^~ /caret/ { LOCATION }
  location ~ /regex/ { LOCATION }
  location ~ ^/capture/(?<rest>.*)$ { LOCATION proxy_pass ORIGIN/by-number/$1/by-name/$rest; }
  location /nested/ { LOCATION location ~ bare { } location ~ \\.ts$ { LOCATION } }
  location /if/    { if ($args) { add_header A b; } LOCATION if ($args) { add_header C d; } }
  location /break/ { if ($args) { break; } LOCATION }
  location /any/   { satisfy any; auth_basic x; auth_basic_user_file /dev/null; LOCATION }
  location /basic/ { auth_basic x; auth_basic_user_file /dev/null; LOCATION }
  location /slash/ { LOCATION }
  location /cors/  { if ($request_method = OPTIONS) { return 204; } LOCATION }
  location /cdn/   { LOCATION try_files /.none @cdn; }
  location @cdn    { return 302 https://cdn.example.com$uri; }
  location /bare-return/ { LOCATION return 302 https://cdn.example.com$uri; }
  location /denied/ { LOCATION error_page 403 /page.html; }
  location /paid/  { LOCATION }
  location /off/   { LOCATION location ~ \\.ts$ { auth_request off; } }
  location /origin/ { LOCATION proxy_pass ORIGIN; }
  location /slice/ { LOCATION slice 4; proxy_set_header Range $slice_range; proxy_pass ORIGIN; }
  location /accel/ { LOCATION proxy_pass ORIGIN; }
`

describe("beside an operator's own lines in a location", () => {
  const origin = forSuite((scope) => startBackend(scope))
  const site = forSuite(async (scope) => {
    origin.answer = ({ target }, response) => {
      if (target.startsWith('/accel/')) response.setHeader('X-Accel-Redirect', '/live/1.ts')
      response.end(target)
    }
    const server = locations.replaceAll('ORIGIN', origin.url)
    const site = await startSite(scope, { nginx: { server, files } })
    site.backend.answer = hasToken('good')
    return site
  })
  const play = (target: string, more: Partial<ClientRequest> = {}): Promise<ClientAnswer> => {
    const headers = [`User-Agent: ${newViewer()}`]
    return request({ port: site.nginx.port, target, version: 'HTTP/1.0', headers, ...more })
  }

  const judged: [what: string, path: string, body: string][] = [
    ['a regular expression', '/regex/1.ts', film],
    ['captures, by number and by name', '/capture/1.ts', '/by-number/1.ts/by-name/1.ts'],
    ['a nested location with an include of its own', '/nested/1.ts', film],
    ['if, before and behind the include', '/if/1.ts', film],
    ['a preflight by return', '/cors/1.ts', film],
    ['slice', '/slice/1.ts', '/slice/1.ts?token=good'],
    ['X-Accel-Redirect of the origin', '/accel/1.ts', film],
  ]
  for (const [what, path, body] of judged) {
    test(`${what}: the verdict counts`, async () => {
      const allowed = await play(`${path}?token=good`)
      assert.deepEqual([allowed.status, allowed.body], [200, body])
      assert.equal((await play(`${path}?token=bad`)).status, 403)
      assert.equal((await play(path)).status, 403)
    })
  }

  test('a page of the operator for those who are refused is a refusal', async () => {
    const { status, body } = await play('/denied/1.ts?token=bad')
    assert.deepEqual([status, body], [403, page])
  })

  test('a redirect behind try_files is for those who are allowed', async () => {
    assert.match(
      (await play('/cdn/1.ts?token=good')).head,
      /^Location: https:\/\/cdn\.example\.com\/cdn\/1\.ts/m,
    )
    assert.equal((await play('/cdn/1.ts?token=bad')).status, 403)
  })

  test('a preflight needs no token, and gets nothing', async () => {
    const { status, body } = await play('/cors/1.ts', { method: 'OPTIONS' })
    assert.deepEqual([status, body], [204, ''])
  })

  test('a password beside the token: both are needed, or one of them with satisfy any', async () => {
    assert.equal((await play('/basic/1.ts?token=good')).status, 401)
    assert.equal((await play('/any/1.ts?token=good')).status, 200)
    assert.equal((await play('/any/1.ts?token=bad')).status, 401)
  })

  for (const target of ['/nested/bare.ts?token=good', '/break/1.ts?token=good']) {
    test(`where the lines of the include do not run, everybody is refused: ${target}`, async () => {
      const asked = await questionsDuring(site.backend, async () =>
        assert.equal((await play(target)).status, 403),
      )
      assert.deepEqual(asked, [])
    })
  }

  const spellings = [
    '/origin/1.ts?token=good',
    '/paid/../origin/1.ts?token=good',
    '/paid/%2e%2e/origin/1.ts?token=good',
    '/paid/..%2forigin/1.ts?token=good',
    '/%6frigin/1.ts?token=good',
    'http://other/paid/../origin/1.ts?token=good',
  ]
  for (const target of spellings) {
    test(`an origin gets the path that was asked about: ${target}`, async () => {
      origin.asked.length = 0
      const asked = await questionsDuring(site.backend, () => play(target))
      assert.deepEqual(
        [asked.map(({ headers }) => headers['X-Real-Path']), origin.asked.map((one) => one.target)],
        [['/origin/1.ts'], ['/origin/1.ts?token=good']],
      )
    })
  }

  test('an origin gets the path that was asked about over HTTP/2, too', async () => {
    for (const target of spellings.filter((one) => one.startsWith('/'))) {
      origin.asked.length = 0
      const asked = await questionsDuring(site.backend, () =>
        requestHttp2(site.nginx.tlsPort, target, { 'user-agent': newViewer() }),
      )
      assert.deepEqual(
        [asked.map(({ headers }) => headers['X-Real-Path']), origin.asked.map((one) => one.target)],
        [['/origin/1.ts'], ['/origin/1.ts?token=good']],
      )
    }
  })

  test('an origin gets the query as it was sent', async () => {
    origin.asked.length = 0
    await play('/origin/a%20b.ts?%zz&b="+"&&token=good')
    assert.deepEqual(
      origin.asked.map((one) => one.target),
      ['/origin/a%20b.ts?%zz&b="+"&&token=good'],
    )
  })

  // What docs/nginx.md warns of: nginx works like this, and no included file can change it.
  const open: [what: string, target: string, body: RegExp][] = [
    ['a return beside the include', '/bare-return/1.ts', /302 Found/],
    ['//slash/ with merge_slashes off', '//slash/1.ts', /^the film$/],
    ['what a page of an open location includes', '/include.html', /^the film$/],
    ['a nested auth_request off', '/off/1.ts', /^the film$/],
  ]
  for (const [what, target, body] of open) {
    test(`nobody is asked: ${what}`, async () => {
      const asked = await questionsDuring(site.backend, async () =>
        assert.match((await play(target)).body, body),
      )
      assert.deepEqual(asked, [])
    })
  }
})
