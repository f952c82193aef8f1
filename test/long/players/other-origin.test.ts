import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startBrowser } from '../../support/browser.ts'
import {
  type OtherOriginTab,
  openOtherOriginPage,
  type Player,
  players,
  type Sends,
} from '../../support/other-origin-page.ts'
import { type OtherOriginSite, startOtherOriginSite } from '../../support/other-origin-site.ts'
import { suiteScope } from '../../support/scope.ts'
import { newViewer } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'

/** How long a player may take on a busy machine, in milliseconds. */
const PATIENCE = 60_000
const streams = { hls: 'single/index.m3u8', dash: 'dash/stream.mpd' }
const refused = { played: 0, gaveUp: true }

describe('players in Chromium on a page of another origin', { concurrency: 2 }, () => {
  const scope = suiteScope()
  let site: OtherOriginSite
  let browser: Browser
  before(async () => {
    site = await startOtherOriginSite(scope, {
      server: 'location /live/ { LOCATION CORS } location /bare/ { LOCATION }',
      http: `
        map "" $alta_auth_cors_headers { default "X-Device"; }
        log_format sent '$http_user_agent: $request_method $uri $status cookie=$http_cookie device=$http_x_device';
        access_log sent.log sent;`,
      folders: ['live', 'bare'],
    })
    site.backend.answer = hasToken('123')
    browser = await startBrowser(scope)
  })

  interface Opened extends OtherOriginTab {
    /** What nginx has got of this tab: method, path, status, cookie and header. */
    sent(): string[]
  }

  /** Opens a stream in a browser profile of its own. */
  const open = async (
    t: TestContext,
    page: string,
    player: Player,
    place: string,
    token: string,
    sends?: Sends,
  ): Promise<Opened> => {
    const userAgent = newViewer()
    const context = await browser.newContext({ userAgent })
    t.after(() => context.close())
    await context.addCookies([{ name: 'seat', value: '7', url: site.nginx.url }])
    const stream = `${site.nginx.url}/${place}/${streams[players[player]]}?token=${token}`
    const tab = await openOtherOriginPage(context, page, player, stream, sends)
    const start = `${userAgent}: `
    const sent = (): string[] =>
      readFileSync(join(site.nginx.root, '..', 'sent.log'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(start) && !line.includes(' /page/'))
        .map((line) => line.slice(start.length))
    return { ...tab, sent }
  }

  for (const player of Object.keys(players) as Player[]) {
    for (const [sends, shown] of [
      ['nothing', 'cookie=- device=-'],
      ['credentials', 'cookie=seat=7 device=-'],
      ['header', 'cookie=- device=tv'],
    ] as const) {
      test(`${player} plays, and sends ${sends}`, async (t) => {
        const tab = await open(t, site.allowedPage, player, 'live', '123', sends)
        await tab.until('watched().played >= 2', PATIENCE)
        assert.deepEqual((await tab.watched()).statuses, [])
        const sent = tab.sent()
        const media = sent.filter((line) => line.startsWith('GET '))
        assert.deepEqual(
          media.filter((line) => !line.endsWith(` ${shown}`)),
          [],
        )
        const preflights = sent.filter((line) => line.startsWith('OPTIONS '))
        assert.equal(preflights.length > 0, sends === 'header')
        assert.deepEqual(
          preflights.filter((line) => !/ 204 cookie=- device=-$/.test(line)),
          [],
        )
      })
    }

    test(`${player} is told that its token is refused (403)`, async (t) => {
      for (const sends of ['nothing', 'header'] as const) {
        const tab = await open(t, site.allowedPage, player, 'live', 'bad', sends)
        await tab.until('watched().gaveUp', PATIENCE)
        const { statuses, ...rest } = await tab.watched()
        assert.deepEqual(rest, refused)
        assert.deepEqual([...new Set(statuses)], [403])
      }
    })

    for (const [where, page, place] of [
      ['a page of an origin that is not allowed', () => site.otherPage, 'live'],
      ['a location without cors.conf', () => site.allowedPage, 'bare'],
    ] as const) {
      test(`${player} sees a network error: ${where}`, async (t) => {
        for (const token of ['123', 'bad']) {
          const tab = await open(t, page(), player, place, token)
          await tab.until('watched().statuses.includes(0)', PATIENCE)
          const { statuses, played } = await tab.watched()
          assert.deepEqual([[...new Set(statuses)], played], [[0], 0])
        }
      })
    }
  }
})
