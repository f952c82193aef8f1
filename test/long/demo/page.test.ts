import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startDemoInBrowser } from '../../support/demo-in-browser.ts'
import { forSuite } from '../../support/scope.ts'

describe('the demo page in Chromium', () => {
  const demo = forSuite((scope) => startDemoInBrowser(scope))

  test('it plays by itself, silently, with sound for those who want it', async (t) => {
    const { page, playOn, reads } = await demo.open(t)
    await playOn(3)
    await reads('#status', /^Playing, with a valid token\.$/)
    const video = 'document.querySelector("video")'
    assert.deepEqual(await page.evaluate(`[${video}.paused, ${video}.muted]`), [false, true])
    await page.evaluate(`void (${video}.muted = false)`)
    await playOn(1)
    assert.equal(await page.evaluate(`${video}.paused`), false)
    assert.ok(Number(await page.evaluate(`${video}.webkitAudioDecodedByteCount`)) > 0, 'sound')
    // Three turns of the loop would take long; a discontinuity comes every twelve seconds.
    await playOn(9)
  })

  for (const [token, reason] of [
    ['wrong token', '403, the backend said no (403).'],
    ['no token', '403, the backend said no (403).'],
  ] as const) {
    test(`with a ${token.replace('no token', 'missing token')} there is no picture, and the page says so`, async (t) => {
      const { page, playOn, reads, decided, choose, press } = await demo.open(t)
      // The same browser has just played, but each Play is a viewer of its own.
      await playOn(1)
      await choose(token)
      await press('Play')
      await reads('#refusal', /^403\s+refused$/)
      assert.equal(await page.textContent('#status'), reason)
      await decided(/deny backend backend-403/)
      assert.equal(await page.evaluate('document.querySelector("video").currentTime'), 0)

      await choose('valid token')
      await press('Play')
      await reads('#status', /^Playing/)
      assert.equal(await page.isVisible('#refusal'), false)
    })
  }

  test('the default action is switched, for viewers nobody knows; who plays survives it', async (t) => {
    const tab = await demo.open(t)
    await tab.playOn(1)
    await tab.reads('#action-state', /^deny$/)
    await tab.press('Switch to allow')
    await tab.reads('#action-state', /^allow$/)
    // Longer than what was loaded before the restart.
    await tab.playOn(12)

    await tab.press('Stop the backend')
    await tab.reads('#backend-state', /^stopped$/)
    await tab.press('Another viewer')
    await tab.reads('#newcomer-said', /200, the backend is down, default action: allow/)
    await tab.decided(/allow default unavailable-refused/)

    await tab.press('Start it again')
    await tab.reads('#backend-state', /^running$/)
    await tab.press('Switch to deny')
    await tab.reads('#action-state', /^deny$/)
  })

  test('it can be used with the keyboard alone, and on a phone', async (t) => {
    const { page, reads } = await demo.open(t, { viewport: { width: 360, height: 740 } })
    await page.focus('input[name=token]:checked')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await reads('#refusal', /^403/)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.id'), 'newcomer')
    await page.keyboard.press('Space')
    await reads('#newcomer-said', /wrong token: 403/)
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    assert.equal(await page.evaluate(overflow), 0)
  })
})
