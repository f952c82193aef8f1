import assert from 'node:assert/strict'
import { before, describe, type TestContext, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { status } from '../../support/backend.ts'
import { startBrowser } from '../../support/browser.ts'
import { readPage } from '../../support/documentation/pages.ts'
import { playWithFfmpeg } from '../../support/ffmpeg-player.ts'
import { DURATION, SEGMENT } from '../../support/media.ts'
import { type OtherOriginTab, openOtherOriginPage } from '../../support/other-origin-page.ts'
import { type OtherOriginSite, startOtherOriginSite } from '../../support/other-origin-site.ts'
import { suiteScope } from '../../support/scope.ts'
import { newViewer } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'
import { until } from '../../support/until.ts'
import { deliveredFiles, readViewerLog } from '../../support/viewer-log.ts'

/** How long a player may take on a busy machine, in milliseconds. */
const PATIENCE = 60_000
const environment = { UNAVAILABLE_STATUS: '502', DEFAULT_TTL: '500ms' }

describe('players whose request is refused', () => {
  const scope = suiteScope()
  let browser: Browser
  before(async () => {
    browser = await startBrowser(scope)
  })

  const open = async (t: TestContext, site: OtherOriginSite, target: string): Promise<OtherOriginTab> => {
    const context = await browser.newContext({ userAgent: newViewer() })
    t.after(() => context.close())
    return openOtherOriginPage(context, site.allowedPage, 'hls.js', `${site.nginx.url}${target}`)
  }

  /** A site whose backend fails, until it is told to come back. */
  const startFailing = async (t: TestContext): Promise<OtherOriginSite> => {
    const site = await startOtherOriginSite(t, {
      environment,
      server: `RETRY
        location /live/  { LOCATION CORS }
        # A location with an error_page of its own does not inherit that of retry.conf.
        location /final/ { LOCATION CORS error_page 404 = @none; }
        location @none { return 404; }`,
      folders: ['live', 'final'],
    })
    site.backend.answer = status(502)
    return site
  }

  const refusalOf = ({ nginx }: OtherOriginSite, place: string): Promise<void> =>
    until(
      'a 503',
      () => nginx.accessLog().some((line) => line.includes(`/${place}/single/index.m3u8" 503 `)),
      PATIENCE,
    )

  test('hls.js: with retry.conf it plays once the backend is back, without it it gives up', async (t) => {
    const site = await startFailing(t)
    const [retried, final] = await Promise.all(
      ['live', 'final'].map((place) => open(t, site, `/${place}/single/index.m3u8?token=123`)),
    )
    assert.ok(retried !== undefined && final !== undefined)
    await final.until('watched().gaveUp', PATIENCE)
    assert.deepEqual(await final.watched(), { played: 0, statuses: [403], gaveUp: true })
    // hls.js tells of a failure only when it has given up.
    await refusalOf(site, 'live')

    site.backend.answer = hasToken('123')
    await retried.until('watched().played >= 2', PATIENCE)
    const { statuses, gaveUp } = await retried.watched()
    assert.deepEqual([statuses, gaveUp], [[], false])
  })

  test('ffmpeg: with retry.conf it plays once the backend is back, without it it gives up', async (t) => {
    const site = await startFailing(t)
    const again = ['-reconnect_on_http_error', '503', '-reconnect_delay_max', '4']
    const play = (place: string, viewer: string) =>
      playWithFfmpeg(t, `${site.nginx.url}/${place}/single/index.m3u8?token=123`, viewer, again)
    const final = await play('final', newViewer())
    assert.notEqual(final.exitCode, 0)
    assert.match(final.complaints, /403 Forbidden/)

    const viewer = newViewer()
    const playing = play('live', viewer)
    await refusalOf(site, 'live')
    site.backend.answer = hasToken('123')
    assert.equal((await playing).exitCode, 0)
    const log = await readViewerLog(site.nginx, viewer)
    const played = deliveredFiles(log).filter((file) => file.includes('.ts '))
    assert.equal(played.length, DURATION / SEGMENT, JSON.stringify(log))
  })

  test('hls.js: who is refused sees the slate of the documentation, and nothing else', async (t) => {
    const blocks = readPage('docs/nginx.md').blocks.filter(({ words }) => words[1] === 'slate')
    const text = (level: string): string => blocks.find(({ words }) => words[0] === level)?.text ?? ''
    const site = await startOtherOriginSite(t, {
      http: text('http').replace('live.example.com/slate/', '$http_host/slate/single/'),
      server: `
        ${text('server').replace('include /etc/nginx/alta-auth/location.conf;', 'LOCATION CORS')}
        location /slate/ { CORS }`,
      folders: ['live', 'slate'],
    })
    site.backend.answer = hasToken('123')
    const tab = await open(t, site, '/live/single/index.m3u8?token=bad')
    await tab.until('watched().played >= 2', PATIENCE)
    assert.deepEqual((await tab.watched()).statuses, [])
    const served = site.nginx.accessLog().filter((line) => / 20[06] /.test(line) && !line.includes(' /page/'))
    assert.deepEqual(
      served.filter((line) => !line.includes('"GET /slate/')),
      [],
    )
  })
})
