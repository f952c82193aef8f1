import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { get } from '../support/http-get.ts'
import { startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** All that lies in a folder, as one text. */
function readAll(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n')
}

test('the value of a session cookie is in no log, answer, store, metric or question', async (t) => {
  const state = join(makeTemporaryFolder(t), 'state')
  const site = await startSite(t, {
    environment: { SESSION_COOKIE: 'strict', ADMIN_LISTEN: '127.0.0.1:0', STATE_URL: `file:${state}` },
    nginx: { server: 'location / { LOCATION COOKIE }', files: channelFiles(['one'], 2) },
  })
  const player = createCookiePlayer(t, site.nginx, { from: '127.0.2.1' })
  assert.equal(await player.get('/live/one/index.m3u8?token=good'), 200)
  const { cookie = '' } = player
  assert.match(cookie, /^[\w-]{22}$/)
  player.from = '127.0.2.2'
  const further: unknown[] = []
  for (const target of ['/live/one/0.ts', '/live/one/index.m3u8', '/live/one/1.ts?token=bad'])
    further.push(await player.fetch(target))
  // Written behind.
  await delay(500)
  const admin = { port: site.gate.adminPort }
  const pages = await Promise.all(
    ['/sessions', '/metrics', '/readyz', '/denials'].map(async (path) => (await get(admin, path)).body),
  )
  assert.ok(pages[0]?.includes('127.0.2.2'), 'the newest address is shown')
  const places = {
    'the log of the gate': site.gate.logText(),
    'the access log of nginx': site.nginx.accessLog().join('\n'),
    'the error log of nginx': site.nginx.errorLog(),
    'the questions to the backend': JSON.stringify(site.backend.asked),
    'further answers': JSON.stringify(further),
    'the admin listener': pages.join('\n'),
    'the store': readAll(state),
  }
  for (const [place, text] of Object.entries(places)) {
    assert.ok(text.length > 0 || place.includes('error'), place)
    assert.ok(!text.includes(cookie), place)
  }
})
