import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { get } from '../support/http-get.ts'
import { startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

/** Longer than a minute, by what a busy machine may need; milliseconds. */
const PLAYS = 75_000

describe('a session cookie that two addresses send for longer than a minute', { concurrency: true }, () => {
  for (const shared of ['log', 'deny'])
    test(`SESSION_COOKIE_SHARED=${shared}`, { timeout: 3 * PLAYS }, async (t) => {
      const site = await startSite(t, {
        environment: { SESSION_COOKIE: 'on', SESSION_COOKIE_SHARED: shared, ADMIN_LISTEN: '127.0.0.1:0' },
        nginx: { server: 'location / { LOCATION COOKIE }', files: channelFiles(['one'], 1) },
      })
      site.backend.answer = hasToken('good')
      const one = createCookiePlayer(t, site.nginx, { from: '127.0.2.1' })
      assert.equal(await one.get('/live/one/index.m3u8?token=good'), 200)
      const other = createCookiePlayer(t, site.nginx, { from: '127.0.2.2', cookie: one.cookie })
      const began = performance.now()
      let refusedAfter: number | undefined
      while (performance.now() - began < PLAYS && refusedAfter === undefined) {
        const statuses = [await one.get('/live/one/0.ts'), await other.get('/live/one/0.ts')]
        if (statuses.includes(403)) refusedAfter = performance.now() - began
        await delay(1_000)
      }
      const told = site.gate.log.filter(
        ({ message }) => message === 'a session cookie is sent from two places at once',
      )
      assert.equal(told.length, 1)
      assert.equal(told[0]?.['clients'], '127.0.2.1 127.0.2.2')
      const { body } = await get({ port: site.gate.adminPort }, '/metrics')
      assert.match(body, /^alta_auth_session_cookies_shared_total 1$/m)
      if (shared === 'log') assert.equal(refusedAfter, undefined)
      else {
        assert.ok(refusedAfter !== undefined && refusedAfter > 59_000, `${refusedAfter}`)
        assert.match(body, /^alta_auth_sessions_ended_total\{reason="shared"\} 1$/m)
        for (const player of [one, other]) assert.equal(await player.get('/live/one/0.ts'), 403)
      }
    })
})
