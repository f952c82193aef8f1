import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { cookieIn, createCookiePlayer } from '../support/cookie-player.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const server = 'location / { LOCATION COOKIE } location /plain/ { LOCATION }'
const files = {
  ...channelFiles(['one', 'two'], 3),
  '/plain/one/index.m3u8': '#EXTM3U\n',
  '/plain/one/0.ts': 'G',
}
const opening = '/live/one/index.m3u8?token=good'

for (const verdictCache of [false, true]) {
  const startedWith = (mode: string) =>
    forSuite(async (scope) => {
      const started = await startSite(scope, {
        environment: { SESSION_COOKIE: mode },
        nginx: { server, files, verdictCache },
      })
      started.backend.answer = hasToken('good')
      return started
    })

  describe(`SESSION_COOKIE=on${verdictCache ? ', with the verdict cache' : ''}`, () => {
    const site = startedWith('on')

    test('only the answer to the playlist that a backend has just allowed sets it', async (t) => {
      const player = createCookiePlayer(t, site.nginx, { keepsCookies: false })
      const first = await player.fetch(opening)
      assert.match(
        String(first.headers['set-cookie']),
        /^alta_auth=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/,
      )
      assert.equal(first.headers['cache-control'], 'private, no-store')
      for (const target of [opening, '/live/one/0.ts', opening, '/live/one/index.m3u8']) {
        const { status, headers } = await player.fetch(target)
        assert.equal(status, 200)
        assert.equal(headers['set-cookie'], undefined, target)
        assert.equal(headers['cache-control'], undefined)
      }
      const refused = await player.fetch('/live/two/index.m3u8?token=bad')
      assert.deepEqual([refused.status, cookieIn(refused)], [403, undefined])
    })

    test('a viewer goes on from any address and with any User-Agent', async (t) => {
      const player = createCookiePlayer(t, site.nginx, { from: '127.0.2.1' })
      assert.equal(await player.get(opening), 200)
      const asked = await questionsDuring(site.backend, async () => {
        for (const from of ['127.0.2.2', '127.0.3.9', undefined]) {
          player.from = from
          assert.equal(await player.get('/live/one/0.ts'), 200)
          assert.equal(await player.get('/live/one/1.ts', { 'User-Agent': 'another' }), 200)
          assert.equal(await player.get(opening), 200)
        }
        player.host = '::1'
        assert.equal(await player.get('/live/one/2.ts'), 200)
      })
      assert.equal(asked.length, 0)
      assert.equal(await player.get('/live/two/0.ts'), 403, 'another channel')
    })

    test('it is worth nothing without a session, for another site, or where it is not included', async (t) => {
      const player = createCookiePlayer(t, site.nginx, { from: '127.0.2.1' })
      assert.equal(await player.get(opening), 200)
      player.from = '127.0.2.2'
      assert.equal(await player.get('/live/one/0.ts', { Host: 'other.example' }), 403)
      assert.equal(await player.get('/plain/one/0.ts'), 403)
      assert.equal(await player.get('/live/one/0.ts'), 200)
      for (const cookie of ['', 'A'.repeat(22), `${player.cookie}x`, player.cookie?.slice(1) ?? ''])
        assert.equal(await player.get('/live/one/0.ts', { Cookie: `alta_auth=${cookie}` }), 403, cookie)
    })

    test('a second opening joins it, and an unknown value is never taken over', async (t) => {
      const player = createCookiePlayer(t, site.nginx, {
        from: '127.0.2.1',
        cookie: 'planted-value-12345678',
      })
      assert.equal(await player.get(opening), 200)
      assert.notEqual(player.cookie, 'planted-value-12345678')
      const { cookie } = player
      assert.equal(await player.get('/live/two/index.m3u8?token=good'), 200)
      assert.equal(player.cookie, cookie)
      player.from = '127.0.2.9'
      for (const channel of ['one', 'two']) assert.equal(await player.get(`/live/${channel}/1.ts`), 200)
    })

    test('without cookie.conf nothing changes', async (t) => {
      const player = createCookiePlayer(t, site.nginx)
      const { status, headers } = await player.fetch('/plain/one/index.m3u8?token=good')
      assert.deepEqual([status, headers['set-cookie'], headers['cache-control']], [200, undefined, undefined])
      assert.equal(await player.get('/plain/one/0.ts'), 200)
    })

    test('a neighbour with the same player rides, as without cookies', async (t) => {
      const player = createCookiePlayer(t, site.nginx)
      assert.equal(await player.get(opening), 200)
      const neighbour = createCookiePlayer(t, site.nginx, { userAgent: player.userAgent })
      assert.equal(await neighbour.get('/live/one/0.ts'), 200)
    })
  })

  describe(`SESSION_COOKIE=strict${verdictCache ? ', with the verdict cache' : ''}`, () => {
    const site = startedWith('strict')

    test('a neighbour with the same player gets nothing', async (t) => {
      const player = createCookiePlayer(t, site.nginx)
      assert.equal(await player.get(opening), 200)
      assert.equal(await player.get('/live/one/0.ts'), 200)
      const { userAgent } = player
      const other = createCookiePlayer(t, site.nginx, { userAgent })
      assert.equal(await other.get('/live/two/index.m3u8?token=good'), 200, 'it has a cookie of its own')
      for (const neighbour of [createCookiePlayer(t, site.nginx, { userAgent }), other])
        for (const target of [
          '/live/one/0.ts',
          '/live/one/1.ts',
          '/live/one/index.m3u8',
          '/live/one/sub/x.m3u8',
        ])
          assert.equal(await neighbour.get(target), 403, target)
      assert.equal(await player.get('/live/one/1.ts'), 200)
    })

    test('the URL that opened the session keeps its verdict without a cookie', async (t) => {
      const player = createCookiePlayer(t, site.nginx, { keepsCookies: false })
      for (let n = 0; n < 3; n++) assert.equal(await player.get(opening), 200)
      assert.equal(await player.get('/live/one/0.ts'), 403)
    })

    test('equal openings within a second are one; after it each is asked about and has a cookie', async (t) => {
      const userAgent = newViewer()
      const boxes = Array.from({ length: 3 }, () => createCookiePlayer(t, site.nginx, { userAgent }))
      const asked = await questionsDuring(site.backend, async () => {
        for (const box of boxes) {
          assert.equal(await box.get(opening), 200)
          await delay(1_050)
        }
      })
      assert.equal(asked.length, 3)
      assert.equal(new Set(boxes.map(({ cookie }) => cookie)).size, 3)
      for (const box of boxes) assert.equal(await box.get('/live/one/0.ts'), 200)
    })

    test('openings that wait for the same answer share none', async (t) => {
      const userAgent = newViewer()
      const { answer } = site.backend
      site.backend.answer = (...asked) => void setTimeout(() => answer(...asked), 200)
      t.after(() => {
        site.backend.answer = answer
      })
      const boxes = Array.from({ length: 3 }, () => createCookiePlayer(t, site.nginx, { userAgent }))
      assert.deepEqual(await Promise.all(boxes.map((box) => box.get(opening))), [200, 200, 200])
      assert.equal(new Set(boxes.map(({ cookie }) => cookie)).size, 3)
    })

    test('who asks again with a dead token keeps the verdict, and gets no cookie', async (t) => {
      const box = createCookiePlayer(t, site.nginx)
      assert.equal(await box.get(opening), 200)
      const { answer } = site.backend
      site.backend.answer = (_asked, response) => void response.writeHead(403).end()
      t.after(() => {
        site.backend.answer = answer
      })
      await delay(1_050)
      const { cookie } = box
      box.cookie = undefined
      assert.equal(await box.get(opening), 200)
      assert.equal(box.cookie, undefined)
      box.cookie = cookie
      assert.equal(await box.get('/live/one/0.ts'), 200)
    })
  })
}
