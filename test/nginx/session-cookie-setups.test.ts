import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBackend, status } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

describe('a map that says by the player what the session cookie means', () => {
  const site = forSuite(async (scope) => {
    const started = await startSite(scope, {
      environment: { SESSION_COOKIE: 'strict', ALLOW_TTL: 'session' },
      nginx: {
        server: 'location / { LOCATION COOKIE }',
        files: channelFiles(['one'], 2),
        http: 'map $http_user_agent $alta_auth_cookie_mode { default ""; ~^app on; ~^box off; }',
      },
    })
    const tokens = createOneTimeTokens()
    started.backend.answer = tokens.answer
    return { ...started, tokens }
  })

  const kinds = [
    // player, gets a cookie, plays on: without its cookie, at another address with the cookie
    ['browser', true, 403, 200],
    ['app', true, 200, 200],
    ['box', false, 200, 403],
  ] as const
  for (const [kind, isGiven, without, elsewhere] of kinds)
    test(`${kind}: ${without} without the cookie, ${elsewhere} from another address`, async (t) => {
      const options = { userAgent: `${kind} ${newViewer()}`, from: '127.0.4.1' }
      const player = createCookiePlayer(t, site.nginx, options)
      assert.equal(await player.get(`/live/one/index.m3u8?token=${site.tokens.issue('somebody')}`), 200)
      assert.equal(player.cookie !== undefined, isGiven)
      assert.equal(await player.get('/live/one/0.ts'), 200)
      const neighbour = createCookiePlayer(t, site.nginx, options)
      assert.equal(await neighbour.get('/live/one/0.ts'), without)
      player.from = '127.0.4.2'
      assert.equal(await player.get('/live/one/1.ts'), elsewhere)
    })
})

describe('what stands around a session cookie', () => {
  const opening = '/live/one/index.m3u8?token=good'

  test('a re-check tells the backend the address where they play now', async (t) => {
    const { nginx, backend } = await startSite(t, {
      environment: { SESSION_COOKIE: 'on', ALLOW_TTL: '1s' },
      nginx: { server: 'location / { LOCATION COOKIE }', files: channelFiles(['one'], 2) },
    })
    backend.answer = hasToken('good')
    const player = createCookiePlayer(t, nginx, { from: '127.0.4.1' })
    assert.equal(await player.get(opening), 200)
    player.from = '127.0.4.2'
    await until('the re-check', async () => {
      assert.equal(await player.get('/live/one/0.ts'), 200)
      return backend.asked.length > 1
    })
    const asked = backend.asked.map(({ target, headers }) => [target, headers['X-Real-Ip']])
    assert.deepEqual(asked.slice(0, 2), [
      ['/auth?token=good', '127.0.4.1'],
      ['/auth?token=good', '127.0.4.2'],
    ])
  })

  test('a proxy_cache behind it keeps no cookie for the next viewer', async (t) => {
    const origin = await startBackend(t)
    origin.answer = status(200, { 'Cache-Control': 'max-age=60' })
    const { nginx } = await startSite(t, {
      environment: { SESSION_COOKIE: 'on' },
      nginx: {
        http: 'proxy_cache_path cache keys_zone=media:1m;',
        server: `location / { LOCATION COOKIE
          proxy_pass ${origin.url}; proxy_cache media; add_header X-Cache $upstream_cache_status; }`,
      },
    })
    const [first, second] = [createCookiePlayer(t, nginx), createCookiePlayer(t, nginx)]
    const caches: unknown[] = []
    for (const player of [first, first, second]) caches.push((await player.fetch(opening)).headers['x-cache'])
    assert.deepEqual([caches, origin.asked.length], [['MISS', 'HIT', 'HIT'], 1])
    assert.ok(first.cookie !== undefined && second.cookie !== undefined && first.cookie !== second.cookie)
  })

  test('what a location has captured stays there', async (t) => {
    const { nginx } = await startSite(t, {
      environment: { SESSION_COOKIE: 'on' },
      nginx: {
        server: `location ~ ^/live/(\\w+)/ {
          LOCATION COOKIE add_header X-Channel $1; add_header X-Again $1; }`,
        files: channelFiles(['one'], 1),
      },
    })
    const player = createCookiePlayer(t, nginx)
    for (const target of [opening, '/live/one/0.ts']) {
      const { headers } = await player.fetch(target)
      assert.deepEqual([headers['x-channel'], headers['x-again']], ['one', 'one'], target)
    }
  })

  test('with strict, of two players that start at once in one browser one loses its cookie', async (t) => {
    const { nginx, backend } = await startSite(t, {
      environment: { SESSION_COOKIE: 'strict' },
      nginx: { server: 'location / { LOCATION COOKIE }', files: channelFiles(['one', 'two'], 1) },
    })
    backend.answer = hasToken('good')
    const played = async (isAtOnce: boolean): Promise<number[]> => {
      const browser = createCookiePlayer(t, nginx)
      const open = (channel: string) => browser.get(`/live/${channel}/index.m3u8?token=good`)
      if (isAtOnce) await Promise.all(['one', 'two'].map(open))
      else for (const channel of ['one', 'two']) await open(channel)
      return Promise.all(['one', 'two'].map((channel) => browser.get(`/live/${channel}/0.ts`)))
    }
    assert.deepEqual(await played(false), [200, 200])
    assert.deepEqual((await played(true)).sort(), [200, 403])
  })
})
