import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCookiePlayer } from '../../support/cookie-player.ts'
import { startEdges } from '../../support/edges.ts'
import { forSuite } from '../../support/scope.ts'
import { questionsDuring } from '../../support/site.ts'
import { startValkey } from '../../support/valkey.ts'
import { storeOf } from '../../support/valkey-settings-of.ts'

for (const mode of ['on', 'strict']) {
  describe(`two edges on one Valkey, SESSION_COOKIE=${mode}`, () => {
    const site = forSuite(async (scope) => {
      const store = storeOf(await startValkey(scope))
      return await startEdges(scope, [store, store], { SESSION_COOKIE: mode, STATE_TIMEOUT: '1s' })
    })

    test('a viewer goes on at the other edge from another address, with a dead token', async (t) => {
      const [one, other] = site.edges
      const opening = `/cookie/one/index.m3u8?token=${site.tokens.issue('anna')}`
      const here = createCookiePlayer(t, one.nginx, { from: '127.0.2.1' })
      assert.equal(await here.get(opening), 200)
      const asked = await questionsDuring(site.backend, async () => {
        const { cookie, userAgent } = here
        const there = createCookiePlayer(t, other.nginx, { from: '127.0.3.1', cookie, userAgent: 'another' })
        for (const target of ['/cookie/one/1.ts', opening]) assert.equal(await there.get(target), 200)
        assert.equal(there.cookie, cookie)
        const neighbour = createCookiePlayer(t, other.nginx, { from: '127.0.2.1', userAgent })
        assert.equal(await neighbour.get('/cookie/one/1.ts'), mode === 'on' ? 200 : 403)
        assert.equal(await here.get('/cookie/one/1.ts'), 200)
      })
      assert.equal(asked.length, mode === 'on' ? 0 : 1, 'about the neighbour alone')
    })

    test('its second opening, at the other edge, joins the cookie', async (t) => {
      const [one, other] = site.edges
      const open = () => `/cookie/one/index.m3u8?token=${site.tokens.issue('bob')}`
      const here = createCookiePlayer(t, one.nginx, { from: '127.0.2.2' })
      assert.equal(await here.get(open()), 200)
      const { cookie } = here
      const there = createCookiePlayer(t, other.nginx, { from: '127.0.2.3', cookie })
      assert.equal(await there.get(open()), 200)
      assert.equal(there.cookie, cookie)
    })
  })
}
