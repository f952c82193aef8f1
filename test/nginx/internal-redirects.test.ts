import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { type ClientAnswer, request } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, questionsDuring, startSite, writeNamedFiles } from '../support/site.ts'

const server = `
  index index.html;
  location / { LOCATION }
  location /open/ { error_page 404 /paid/x.ts; }

  location /fallback/ { LOCATION try_files $uri /paid/x.ts; }
  location /missing/ { LOCATION error_page 404 /paid/x.ts; }
  location /refused/ { LOCATION error_page 403 /paid/x.ts; }
  location /named/ { LOCATION try_files $uri @named; }
  location @named { LOCATION empty_gif; }

  location /renamed/ { rewrite ^/renamed/(.*)$ /paid/$1; LOCATION }
  location /within/ { rewrite ^/within/old/(.*)$ /within/new/$1; LOCATION }
  location /last/ { rewrite ^/last/(.*)$ /paid/$1 last; LOCATION }
  location /chain/ { rewrite ^/chain/(.*)$ /renamed/$1; LOCATION }
  location /args/ { rewrite ^/args/(.*)$ /paid/$1?operator=1; LOCATION }

  location /broken/ { rewrite ^/broken/(.*)$ /paid/$1 break; LOCATION }
  location /to-broken/ { LOCATION try_files $uri /broken/x.ts; }
`

const files = [
  '/paid/x.ts',
  '/folder/index.html',
  '/fallback/there.ts',
  '/missing/there.ts',
  '/within/new/x.ts',
  '/within/x.ts',
  '/plain.ts',
]

describe('nginx asks about the path that it serves in the end', () => {
  let denied = new Set<string>()
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, { nginx: { server } })
    writeNamedFiles(site.nginx.root, files)
    site.backend.answer = ({ headers }, response) => {
      response.writeHead(denied.has(headers['X-Real-Path'] ?? '') ? 403 : 200).end()
    }
    return site
  })
  beforeEach(() => {
    denied = new Set()
  })

  const play = async (
    target: string,
    viewer = newViewer(),
  ): Promise<ClientAnswer & { readonly paths: string[] }> => {
    let answer: ClientAnswer | undefined
    const asked = await questionsDuring(site.backend, async () => {
      answer = await request({ port: site.nginx.port, target, headers: [`User-Agent: ${viewer}`] })
    })
    assert.ok(answer !== undefined)
    return { ...answer, paths: asked.map(({ headers }) => headers['X-Real-Path'] ?? '') }
  }

  const redirects: [what: string, target: string, paths: string[]][] = [
    ['index', '/folder/', ['/folder/', '/folder/index.html']],
    ['try_files', '/fallback/gone.ts', ['/fallback/gone.ts', '/paid/x.ts']],
    ['error_page of a protected location', '/missing/gone.ts', ['/missing/gone.ts', '/paid/x.ts']],
    ['error_page of an open location', '/open/gone.ts', ['/paid/x.ts']],
    ['rewrite to another location', '/renamed/x.ts', ['/paid/x.ts']],
    ['rewrite within the location', '/within/old/x.ts', ['/within/new/x.ts']],
    ['rewrite that does not match', '/within/x.ts', ['/within/x.ts']],
    ['rewrite … last', '/last/x.ts', ['/paid/x.ts']],
    ['two rewrites', '/chain/x.ts', ['/paid/x.ts']],
  ]
  for (const [what, target, paths] of redirects) {
    test(`${what}: ${target} is asked about as ${paths.join(' and ')}`, async () => {
      const answer = await play(target)
      assert.deepEqual(answer.paths, paths)
      assert.equal(answer.status, target.startsWith('/missing') || target.startsWith('/open') ? 404 : 200)
      assert.equal(answer.body, paths.at(-1), 'the served file')
    })

    test(`${what}: a deny of ${paths.at(-1)} is a deny`, async () => {
      denied = new Set([paths.at(-1) ?? ''])
      const answer = await play(target)
      assert.equal(answer.status, 403)
      assert.doesNotMatch(answer.body, /^\//)
    })
  }

  test('try_files that finds the file asks once', async () => {
    assert.deepEqual((await play('/fallback/there.ts')).paths, ['/fallback/there.ts'])
  })

  test('a named location asks again with its own path, remembered by then', async () => {
    const viewer = newViewer()
    const answer = await play('/named/x', viewer)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.paths, ['/named/x'])
    assert.match(await accessLineOf(site.nginx, viewer), / verdict=allow source=session reason=remembered /)
  })

  test('error_page 403 to a protected location is asked about with its own path', async () => {
    denied = new Set(['/refused/x.ts'])
    assert.deepEqual((await play('/refused/x.ts')).paths, ['/refused/x.ts', '/paid/x.ts'])
    denied.add('/paid/x.ts')
    const answer = await play('/refused/x.ts')
    assert.deepEqual(answer.paths, ['/refused/x.ts', '/paid/x.ts'])
    assert.equal(answer.status, 403)
    assert.notEqual(answer.body, '/paid/x.ts')
  })

  test('error_page 403 after a refusal for control bytes is asked about with its own path', async () => {
    const viewer = newViewer()
    const answer = await play('/refused/%01', viewer)
    assert.deepEqual(answer.paths, ['/paid/x.ts'])
    assert.equal(answer.body, '/paid/x.ts')
    assert.match(
      await accessLineOf(site.nginx, viewer),
      / 403 \d+ verdict=allow source=backend reason=backend-200 /,
    )
  })

  test('a viewer who may see the first path but not the second is refused each time', async () => {
    denied = new Set(['/paid/x.ts'])
    const viewer = newViewer()
    for (const target of [
      '/fallback/a',
      '/plain.ts',
      '/fallback/a',
      '/fallback/there.ts',
      '/renamed/x.ts',
      '/paid/x.ts',
    ]) {
      const expected = target === '/plain.ts' || target === '/fallback/there.ts' ? 200 : 403
      assert.equal((await play(target, viewer)).status, expected, target)
    }
  })

  test("the query that the backend gets is the client's, whatever rewrite adds", async () => {
    const asked = await questionsDuring(site.backend, () => play('/args/x.ts?token=1'))
    assert.deepEqual(
      asked.map(({ target }) => target),
      ['/auth?token=1'],
    )
  })

  for (const [what, target, paths] of [
    ['directly', '/broken/x.ts', []],
    ['by way of a location that was asked about', '/to-broken/gone.ts', ['/to-broken/gone.ts']],
  ] as const) {
    test(`rewrite … break in front of the include is refused, reached ${what}`, async () => {
      const viewer = newViewer()
      const answer = await play(target, viewer)
      assert.equal(answer.status, 403)
      assert.deepEqual(answer.paths, paths)
      assert.match(await accessLineOf(site.nginx, viewer), / verdict=deny source=gate reason=bad-request /)
    })
  }
})
