import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { startBrowser } from '../support/browser.ts'
import { playWithFfmpeg } from '../support/ffmpeg-player.ts'
import { openPlayer, writePlayerPage } from '../support/hls-player.ts'
import { DURATION, makeMedia, SEGMENT } from '../support/media.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { deliveredFiles, readViewerLog } from '../support/viewer-log.ts'

/** Milliseconds that a player may take on a busy machine. */
const PATIENCE = 60_000
const entry = '/tree/master.m3u8'

/** All players, live streams and DASH: test/long/players. */
describe('players of HLS with two variants, with a token on the first request only', () => {
  const site = forSuite(async (scope) => {
    const media = makeMedia(['tree'])
    scope.after(() => rmSync(media, { recursive: true }))
    const site = await startSite(scope, { nginx: { server: 'location / { LOCATION } location /open/ { }' } })
    site.backend.answer = hasToken('123')
    cpSync(media, site.nginx.root, { recursive: true })
    writePlayerPage(site.nginx)
    return site
  })

  /** What the backend was asked about this viewer, and what nginx answered to their requests. */
  const toldOf = async (viewer: string) => {
    const log = await readViewerLog(site.nginx, viewer)
    return {
      asked: site.backend.asked.flatMap(({ target, headers }) =>
        headers['X-Real-Ua'] === viewer ? [`${target} ${headers['X-Real-Path']}`] : [],
      ),
      segments: deliveredFiles(log).filter((file) => /\.ts /.test(file)),
      refused: log.filter(({ status }) => status === 403).map(({ path }) => path),
    }
  }

  test('ffmpeg plays all of it, and the backend is asked once', async (t) => {
    const viewer = newViewer()
    const { exitCode, complaints } = await playWithFfmpeg(t, `${site.nginx.url}${entry}?token=123`, viewer)
    assert.deepEqual({ exitCode, complaints }, { exitCode: 0, complaints: '' })
    const { asked, segments, refused } = await toldOf(viewer)
    assert.deepEqual([asked, refused], [[`/auth?token=123 ${entry}`], []])
    assert.equal(segments.length, (2 * DURATION) / SEGMENT)
  })

  test('ffmpeg gets nothing with a bad token', async (t) => {
    const viewer = newViewer()
    const { exitCode, complaints } = await playWithFfmpeg(t, `${site.nginx.url}${entry}?token=bad`, viewer)
    assert.notEqual(exitCode, 0)
    assert.match(complaints, /403 Forbidden/)
    assert.deepEqual(await toldOf(viewer), {
      asked: [`/auth?token=bad ${entry}`],
      segments: [],
      refused: [entry],
    })
  })

  test('hls.js in Chromium plays and switches quality, while a second tab with a bad token is refused', async (t: TestContext) => {
    const browser = await startBrowser(t)
    const viewer = newViewer()
    const context = await browser.newContext({ userAgent: viewer })
    const tab = await openPlayer(context, site.nginx, `${entry}?token=123`)
    await tab.until('seen().played >= 1', PATIENCE)

    const second = await openPlayer(context, site.nginx, `${entry}?token=bad`)
    await second.until('seen().errors.length > 0', PATIENCE)
    const { errors, played } = await second.seen()
    assert.deepEqual(errors, [{ details: 'manifestLoadError', fatal: true, status: 403 }])
    assert.deepEqual([played, second.asked], [0, [entry]])

    await tab.switchTo(1)
    await tab.until('seen().switched.includes(1) && seen().played >= 5', PATIENCE)
    const { asked, segments, refused } = await toldOf(viewer)
    assert.deepEqual(asked, [`/auth?token=123 ${entry}`, `/auth?token=bad ${entry}`])
    assert.deepEqual(refused, [entry])
    for (const variant of ['v0', 'v1'])
      assert.ok(
        segments.some((file) => file.includes(`/${variant}/`)),
        variant,
      )
  })
})
