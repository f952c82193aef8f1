import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core'
import type { Asked } from '../../support/backend.ts'
import { startBrowser } from '../../support/browser.ts'
import { openPlayer, type PlayerTab, writePlayerPage } from '../../support/hls-player.ts'
import { startLiveStream } from '../../support/live-stream.ts'
import { suiteScope } from '../../support/scope.ts'
import { newViewer, type Site, startSite } from '../../support/site.ts'
import { hasToken } from '../../support/token-backend.ts'
import { deliveredFiles, readViewerLog } from '../../support/viewer-log.ts'

const entry = '/live/master.m3u8'

/**
 * The same stream at /low-latency/, with playlists that make players ask for what comes next (RFC 8216bis,
 * section 6.2.5).
 */
const lowLatency = `
  location /low-latency/ {
    LOCATION
    sub_filter_types *;
    sub_filter '#EXT-X-TARGETDURATION' '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,CAN-SKIP-UNTIL=12\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-TARGETDURATION';
  }
`

describe('hls.js in Chromium, on a live stream of two variants', { concurrency: true }, () => {
  const scope = suiteScope()
  let site: Site
  let browser: Browser
  before(async () => {
    // Shorter than the longest play: the segments must keep the session alive.
    site = await startSite(scope, {
      environment: { SESSION_IDLE: '10s' },
      nginx: { server: `location / { LOCATION } location /open/ { } ${lowLatency}` },
    })
    symlinkSync('live', join(site.nginx.root, 'low-latency'))
    site.backend.answer = hasToken('123')
    writePlayerPage(site.nginx)
    const broadcast = { seconds: 180, window: 6, spare: 10, variants: 2 } as const
    const [started] = await Promise.all([
      startBrowser(scope),
      startLiveStream(scope, join(site.nginx.root, 'live'), broadcast),
    ])
    browser = started
  })

  /** A browser profile of its own, closed with the test: a new viewer, unless `options` say otherwise. */
  const newProfile = async (
    t: TestContext,
    options: BrowserContextOptions = { userAgent: newViewer() },
  ): Promise<BrowserContext> => {
    const context = await browser.newContext(options)
    t.after(() => context.close())
    return context
  }
  const questionsOf = (viewer: string): Asked[] =>
    site.backend.asked.filter(({ headers }) => headers['X-Real-Ua'] === viewer)

  /** The tab got a 403 for its first playlist, gave up, and got nothing else. */
  const assertRefused = async (tab: PlayerTab): Promise<void> => {
    await tab.until('seen().errors.length > 0', 10_000)
    const { errors, currentTime, played } = await tab.seen()
    assert.deepEqual(errors, [{ details: 'manifestLoadError', fatal: true, status: 403 }])
    assert.deepEqual({ currentTime, played }, { currentTime: 0, played: 0 })
    assert.deepEqual(tab.asked, [entry])
  }

  test('low-latency HLS requests and CMCD cost one question to the backend', async (t) => {
    // It has no master: the playlist that is reloaded has the token.
    const stream = '/low-latency/low/index.m3u8?token=123'
    const tab = await openPlayer(await newProfile(t), site.nginx, stream, 'cmcd')
    await tab.until('seen().played >= 4', 25_000)
    assert.deepEqual([...tab.parameters].sort(), ['CMCD', '_HLS_msn', '_HLS_skip', 'token'])
    const log = await readViewerLog(site.nginx, tab.userAgent)
    assert.deepEqual(
      log.filter(({ status }) => status === 403),
      [],
    )
    assert.deepEqual(
      questionsOf(tab.userAgent).map(({ target }) => target),
      ['/auth?token=123'],
    )
  })

  for (const [what, query] of [
    ['a bad token', '?token=bad'],
    ['no token', ''],
  ] as const) {
    test(`another browser at the same address gets nothing with ${what}`, async (t) => {
      const own = await openPlayer(await newProfile(t), site.nginx, `${entry}?token=123`)
      await own.until('seen().played > 0', 20_000)

      const other = await openPlayer(await newProfile(t), site.nginx, entry + query)
      await assertRefused(other)
      const log = await readViewerLog(site.nginx, other.userAgent)
      assert.deepEqual(
        deliveredFiles(log).filter((file) => file.startsWith('/live/')),
        [],
      )
      assert.equal(questionsOf(other.userAgent).length, 1)
    })
  }
})
