import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startDemoInBrowser } from '../../support/demo-in-browser.ts'
import { forSuite } from '../../support/scope.ts'

describe('the demo page, refused while it plays', { concurrency: true }, () => {
  const demo = forSuite((scope) => startDemoInBrowser(scope))

  for (const [what, path] of [
    ['playlists', /\.m3u8\?/],
    ['segments', /\.ts$/],
  ] as const) {
    test(`who plays survives ${what} that are refused, and is told soon when the refusals stay`, async (t) => {
      const { page, playOn, reads } = await demo.open(t)
      await playOn(1)
      // The third refusal is where hls.js gives up on a playlist.
      let refusals = 3
      let asked = 0
      await page.route(path, (route) => {
        asked++
        return refusals-- > 0 ? route.fulfill({ status: 403 }) : route.continue()
      })
      // Longer than what was loaded before.
      await playOn(12)
      assert.ok(refusals < 0, 'all were met')
      refusals = Number.POSITIVE_INFINITY
      asked = 0
      await reads('#refusal', /^403\s+refused$/)
      await reads('#status', /^403, refused\.$/)
      assert.ok(asked < 40, `${asked} requests`)
    })
  }
})
