import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'

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
