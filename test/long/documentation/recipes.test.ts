import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startBackend } from '../../support/backend.ts'
import { request } from '../../support/client.ts'
import { type Block, readPage } from '../../support/documentation/pages.ts'
import { findFreePort } from '../../support/free-port.ts'
import { headersOf } from '../../support/headers-of.ts'
import { startNamingGate } from '../../support/naming-gate.ts'
import { startNginx } from '../../support/nginx.ts'
import { newViewer, type Site, startSite } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'

/** The configuration of a page, with the shipped includes where they stand. */
function piece(page: string, find: (block: Block) => boolean): string {
  const block = readPage(page).blocks.find(find)
  assert.ok(block !== undefined, `${page} lacks the block`)
  return block.text.replaceAll(
    /include \/etc\/nginx\/alta-auth\/(location|cors|retry)\.conf;/g,
    (_line, file: string) => file.toUpperCase(),
  )
}

const named =
  (level: string, name: string) =>
  ({ words }: Block): boolean =>
    words[0] === level && words[1] === name

/** A site with pieces of a page; viewers come with an address of their own. */
async function start(t: TestContext, server: string, http = ''): Promise<Site> {
  const site = await startSite(t, {
    nginx: {
      http: `set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; ${http}`,
      server,
      files: { '/live/news/index.m3u8': '#EXTM3U\n' },
    },
  })
  site.backend.answer = hasToken('good')
  return site
}

type Met = readonly [status: number, line?: string]

function play({ nginx }: Site, address: string, token: string) {
  const headers = [`X-Forwarded-For: ${address}`, `User-Agent: ${newViewer()}`]
  return request({ port: nginx.port, target: `/live/news/index.m3u8?token=${token}`, headers })
}

describe('recipes of the documentation', () => {
  test("Alta's IP rules in nginx: allow, deny and pass", async (t) => {
    const page = 'docs/migrating.md'
    const site = await start(
      t,
      piece(page, named('server', 'ip-rules')),
      piece(page, named('http', 'ip-rules')),
    )
    const cases = [
      ['192.0.2.10', 'bad', 200],
      ['192.0.2.66', 'good', 403],
      ['192.0.2.1', 'good', 200],
      ['192.0.2.1', 'bad', 403],
    ] as const
    for (const [address, token, status] of cases)
      assert.equal((await play(site, address, token)).status, status, `${address} ${token}`)
    const asked = site.backend.asked.map(({ headers }) => headers['X-Real-Ip'])
    assert.deepEqual(asked, ['192.0.2.1', '192.0.2.1'])
  })

  test('a backend written for Flussonic is asked in its form, and a client cannot add to it', async (t) => {
    const flussonic = await startBackend(t)
    flussonic.answer = ({ target }, response) => {
      const allowed = new URLSearchParams(target.split('?')[1]).getAll('token').join() === 'good'
      response.writeHead(allowed ? 200 : 403, { 'X-UserId': 'user-7' }).end()
    }
    const port = await findFreePort()
    const adapter = piece('docs/migrating.md', named('http', 'flussonic'))
    const { nginx } = await startSite(t, {
      environment: { BACKEND_URL: `http://127.0.0.1:${port}` },
      nginx: {
        http: adapter
          .replace('127.0.0.1:6001', `127.0.0.1:${port}`)
          .replace('192.0.2.30:80', `127.0.0.1:${flussonic.port}`),
        server: 'location /live/ { LOCATION add_header X-User $alta_auth_user; }',
        files: { '/live/news/index.m3u8': '#EXTM3U\n', '/live/news/tracks-v1a1/mono.m3u8': '#EXTM3U\n' },
      },
    })
    const ask = (target: string) =>
      request({ port: nginx.port, target, headers: [`User-Agent: ${newViewer()}`] })
    assert.equal((await ask('/live/news/index.m3u8?token=bad')).status, 403)
    assert.equal((await ask('/live/news/index.m3u8?token=bad&name=free&token=good')).status, 403)
    assert.equal((await ask('/live/news/tracks-v1a1/mono.m3u8?token=good')).status, 200)
    const { status, head } = await ask('/live/news/index.m3u8?ip=192.0.2.1&token=good&name=free')
    assert.equal(status, 200)
    assert.match(head, /^X-User: user-7\r?$/m)
    const asked = flussonic.asked.map(({ target }) => new URL(target, flussonic.url).searchParams)
    assert.deepEqual(
      asked.map((params) => [params.getAll('name'), params.getAll('ip')]),
      Array(4).fill([['live/news'], ['127.0.0.1']]),
    )
  })

  const nginx =
    (text: string | RegExp) =>
    (block: Block): boolean =>
      typeof text === 'string' ? block.text.includes(text) : text.test(block.text)
  /** What a viewer with a good token meets, and one with a bad one: the status, and a line of the answer. */
  const rows: readonly (readonly [what: string, text: string, good: Met, bad: Met])[] = [
    [
      'who is refused is sent to the promo channel',
      piece('docs/migrating.md', named('server', 'promo')),
      [200],
      [302, 'Location: http://live.example.com/promo/index.m3u8'],
    ],
    [
      'a server-level catch-all that exempts the auth location lets nobody in',
      `${piece('docs/nginx.md', nginx(/^rewrite \^\/\(\?!live\//))} location /live/ { LOCATION }`,
      [200],
      [403],
    ],
    [
      'a redirect to another server is for those who are allowed',
      piece('docs/nginx.md', nginx('@edge')),
      [302, 'Location: https://edge.example.com/live/news/index.m3u8?token=good'],
      [403],
    ],
    [
      'a player is told the verdict and the reason',
      piece('docs/nginx.md', nginx('add_header X-Auth-Verdict')),
      [200, 'X-Auth-Verdict: allow\r\nX-Auth-Reason: backend-200'],
      [403, 'X-Auth-Verdict: deny\r\nX-Auth-Reason: backend-403'],
    ],
  ]
  for (const [what, server, ...met] of rows)
    test(what, async (t) => {
      const site = await start(t, server)
      for (const [at, [status, line = '']] of met.entries()) {
        const answer = await play(site, '192.0.2.1', at === 0 ? 'good' : 'bad')
        assert.equal(answer.status, status)
        assert.ok(answer.head.includes(`\r\n${line}`), answer.head)
      }
    })

  for (const [what, block, taken, given] of [
    ['the path alone; the backend gets the query all the same', nginx('set $args "";'), '', '?token=good'],
    ['the query', nginx(/LOCATION|location\.conf;\n +proxy_pass/), '?token=good', '?token=good'],
  ] as const)
    test(`an origin that gets ${what}`, async (t) => {
      const origin = await startBackend(t)
      const text = piece('docs/nginx.md', block).replace('192.0.2.20:8101', `127.0.0.1:${origin.port}`)
      const site = await start(t, text)
      assert.equal((await play(site, '192.0.2.1', 'good')).status, 200)
      assert.equal((await play(site, '192.0.2.1', 'bad')).status, 403)
      const targets = [...origin.asked, ...site.backend.asked].map(({ target }) => target)
      assert.deepEqual(targets, [`/live/news/index.m3u8${taken}`, `/auth${given}`, '/auth?token=bad'])
    })

  test('a rewrite before the include: the backend is asked about what is served', async (t) => {
    const site = await start(t, piece('docs/nginx.md', nginx('rewrite ^/tv/')))
    const { status } = await request({ port: site.nginx.port, target: '/tv/news/index.m3u8?token=good' })
    assert.equal(status, 200)
    const asked = site.backend.asked.map(({ headers }) => headers['X-Real-Path'])
    assert.deepEqual([...new Set(asked)], ['/live/news/index.m3u8'])
  })

  test('a browser on another origin: the preflight is answered, a refusal can be read', async (t) => {
    const page = 'docs/nginx.md'
    const maps = ['cors', 'cors-headers'].map((name) => piece(page, named('http', name)))
    const site = await start(t, piece(page, named('server', 'cors')), maps.join('\n'))
    const ask = (token: string, origin: string, method = 'GET') =>
      request({
        port: site.nginx.port,
        target: `/live/news/index.m3u8?token=${token}`,
        method,
        headers: [`Origin: ${origin}`, `User-Agent: ${newViewer()}`],
      })
    const tv = 'https://tv.example.com'
    const preflight = await ask('bad', tv, 'OPTIONS')
    assert.deepEqual([preflight.status, preflight.body, site.backend.asked], [204, '', []])
    assert.deepEqual(headersOf(preflight, 'Access-Control-Allow-Origin'), [tv])
    assert.equal(headersOf(preflight, 'Access-Control-Allow-Headers').at(-1), 'X-Device, X-App')
    for (const [token, status] of [
      ['good', 200],
      ['bad', 403],
    ] as const) {
      for (const [origin, expected] of [
        [tv, [tv]],
        ['https://evil.example', []],
      ] as const) {
        const answer = await ask(token, origin)
        assert.equal(answer.status, status)
        assert.deepEqual(headersOf(answer, 'Access-Control-Allow-Origin'), expected)
      }
    }
  })

  test('a refusal that is only for now is a 503', async (t) => {
    const site = await start(t, piece('docs/nginx.md', named('server', 'retry')))
    assert.equal((await play(site, '192.0.2.1', 'bad')).status, 403)
    await site.backend.stop()
    const answer = await play(site, '192.0.2.1', 'good')
    assert.deepEqual([answer.status, headersOf(answer, 'Retry-After')], [503, ['2']])
  })

  test('a slate for who is refused, by its reason', async (t) => {
    const page = 'docs/nginx.md'
    const [http, server] = ['http', 'server'].map((level) => piece(page, named(level, 'slate')))
    const nginx = await startNginx(t, {
      gates: [await startNamingGate(t)],
      http: http ?? '',
      server: server ?? '',
    })
    const ask = async (target: string): Promise<string> => {
      const answer = await request({ port: nginx.port, target })
      return [answer.status, ...headersOf(answer, 'Location')].join(' ')
    }
    for (const reason of ['backend-403', 'session-limit', 'remembered']) {
      const slate = '302 http://live.example.com/slate/index.m3u8'
      assert.equal(await ask(`/live/news/index.m3u8?${reason}`), slate, reason)
      assert.equal(await ask(`/live/news/1.ts?${reason}`), '403', reason)
    }
    for (const reason of ['backend-404', 'unavailable-timeout', 'too-many-questions', 'bad-request'])
      assert.equal(await ask(`/live/news/index.m3u8?${reason}`), '403', reason)
  })

  test('behind a CDN: the viewer is known, playlists and refusals are not kept, segments are', async (t) => {
    const page = 'docs/recipes.md'
    const server = piece(page, named('server', 'cdn')).replace('192.0.2.0/24', '127.0.0.1')
    const files = { '/live/news/index.m3u8': '#EXTM3U\n', '/live/news/1.ts': 'x' }
    const http = piece(page, named('http', 'cdn'))
    const site = await startSite(t, { nginx: { http, server, files } })
    site.backend.answer = hasToken('good')
    const viewer = newViewer()
    const get = (target: string) => {
      // The client has sent a header of its own; the CDN adds what it sees.
      const headers = ['X-Forwarded-For: 203.0.113.66, 198.51.100.7', `User-Agent: ${viewer}`]
      return request({ port: site.nginx.port, target: `/live/news/${target}`, headers })
    }
    const kept = async (target: string) => {
      const { status, head } = await get(target)
      return [status, /^Cache-Control: (.*?)\r?$/m.exec(head)?.[1]]
    }
    assert.deepEqual(await kept('index.m3u8?token=bad'), [403, 'no-store'])
    assert.deepEqual(await kept('1.ts'), [403, 'no-store'])
    assert.deepEqual(await kept('index.m3u8?token=good'), [200, 'no-store'])
    assert.deepEqual(await kept('1.ts'), [200, 'max-age=30'])
    const addresses = new Set(site.backend.asked.map(({ headers }) => headers['X-Real-Ip']))
    assert.deepEqual([...addresses], ['198.51.100.7'])
  })

  test('in front of Flussonic: it gets its own paths without the token, and nothing but media', async (t) => {
    const flussonic = await startBackend(t)
    const text = piece('docs/recipes.md', named('server', 'flussonic'))
    const server = text.replace('127.0.0.1:8080', `127.0.0.1:${flussonic.port}`)
    const site = await startSite(t, {
      environment: { CHANNEL_PATTERN: '^/live/([^/]+)/' },
      nginx: { server },
    })
    site.backend.answer = hasToken('good')
    const viewer = newViewer()
    const get = async (target: string) => {
      const headers = [`User-Agent: ${viewer}`, 'Authorization: Basic eDp5']
      return (await request({ port: site.nginx.port, target, headers })).status
    }
    assert.equal(await get('/live/news/index.m3u8?token=bad'), 403)
    assert.equal(await get('/live/news/index.m3u8?token=good'), 200)
    for (const file of ['tracks-v1a1/mono.m3u8', 'tracks-v1a1/2026/11/24/00-05000.ts', 'mpegts'])
      assert.equal(await get(`/live/news/${file}`), 200)
    assert.equal(await get('/live/sport/mpegts'), 403)
    assert.deepEqual(
      flussonic.asked.map(({ target, headers }) => [target, headers['Authorization']]),
      ['index.m3u8', 'tracks-v1a1/mono.m3u8', 'tracks-v1a1/2026/11/24/00-05000.ts', 'mpegts'].map((file) => [
        `/news/${file}`,
        undefined,
      ]),
    )
    const asked = site.backend.asked.length
    for (const path of ['', 'admin/', 'streamer/api/v3/streams', 'news/', 'x.ts/../../admin'])
      assert.notEqual(await get(`/live/${path}?token=good`), 200, path)
    assert.equal(flussonic.asked.length, 4)
    assert.equal(site.backend.asked.length, asked)
  })
})
