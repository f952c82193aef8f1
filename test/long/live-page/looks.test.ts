import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { namesOrNobody, openSession, playOn, viewer } from '../../support/busy-audience.ts'
import { startBusyGate } from '../../support/busy-gate.ts'
import { faintTexts } from '../../support/contrast.ts'
import { findFreePort } from '../../support/free-port.ts'
import { type Gate, startGate } from '../../support/gate.ts'
import { openGateLines } from '../../support/gate-lines.ts'
import { adminUrl, type LivePageTab, openLivePage } from '../../support/live-page-tab.ts'
import { countColours, sizeOfPng } from '../../support/look-at-picture.ts'
import { forSuite, suiteScope } from '../../support/scope.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const committed = fileURLToPath(new URL('../../../docs/pictures/live-page.png', import.meta.url))
const makesPictures = process.env['MAKE_PICTURES'] === '1'
/** The picture of the README, in pixels and bytes. */
const SIZE = { width: 1280, height: 1200 } as const
const MOST_BYTES = 300_000
const phone = { width: 360, height: 740 } as const
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe('the looks of the live page', () => {
  const scope = suiteScope()
  const busy = forSuite((scope) => startBusyGate(scope))

  test('a screen reader finds landmarks, headings, names and the numbers of rows', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url)
    await tab.lists('sessions', /./)
    await tab.lists('denials', /./)
    const tree = await page.locator('body').ariaSnapshot()
    for (const part of [
      /- banner:/,
      /- main:/,
      /- heading "alta-auth" \[level=1\]/,
      ...['Now', 'Verdicts per second', 'Backends', 'Sessions', 'Denials', 'Explain a request'].map(
        (name) => new RegExp(`- region "${name}"[\\s\\S]*- heading "${name}" \\[level=2\\]`),
      ),
      /- 'img "Allowed per second: /,
      /- searchbox "Filter sessions"/,
      /- grid "Sessions":\s+- rowgroup:\s+- row "User Channel Address Player Since Requests Close":/,
      /- columnheader "Since":\s+- button "Since"/,
      /- gridcell "Close the session of \S+ on \S+":/,
      /- table "Denials":/,
      /- button "Explain the denial of \/live\/news\/index\.m3u8 to [\d.]+"/,
      /- textbox "URL"/,
    ])
      assert.match(tree, part)
    const [count, first] = await page.evaluate<[string, string]>(
      `[document.querySelector('[role=grid]').ariaRowCount, document.querySelector('#grid .rows [role=row]').ariaRowIndex]`,
    )
    const all = Number(/^(\d+)/.exec(await tab.text('#sessions-said'))?.[1])
    assert.deepEqual([count, first], [String(all + 1), '2'])
    assert.equal(
      await page.evaluate(
        `document.querySelectorAll('[id]').length - new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)).size`,
      ),
      0,
    )
    // What a screen reader says does not change every second.
    assert.doesNotMatch(await tab.text('[role=status], [role=alert]'), /\d/)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`its texts have enough contrast: ${colorScheme}`, async (t) => {
      const { page, ...tab } = await openLivePage(t, busy.browser, busy.url, { colorScheme })
      await tab.lists('sessions', /./)
      await tab.reads('#backends', /answers/)
      assert.deepEqual(await faintTexts(page), [])
      await tab.pressIn('sessions', /./)
      assert.deepEqual(await faintTexts(page), [])
      await page.keyboard.press('Escape')
      await tab.pressIn('denials', /./)
      await tab.reads('#explaining-body', /Decision/)
      assert.deepEqual(await faintTexts(page), [])
    })
  }

  test('a phone of 360 pixels shows all of it without scrolling sideways', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url, {
      viewport: phone,
      isMobile: true,
      hasTouch: true,
    })
    await tab.lists('sessions', /./)
    await tab.lists('denials', /./)
    assert.equal(await page.evaluate(overflow), 0)
    const cut = await page.evaluate<string[]>(
      `[...document.querySelectorAll('button, input, h2, .pill, dd, td')]
        .filter((element) => element.checkVisibility() && element.closest('.unseen, .head, thead') === null)
        .filter((element) => element.getBoundingClientRect().right > innerWidth || element.getBoundingClientRect().left < 0)
        .map((element) => element.innerText)`,
    )
    assert.deepEqual(cut, [])
    await page.locator('#grid .rows button').first().tap()
    await tab.reads('#closing', /Keep it/)
    assert.equal(await page.evaluate(overflow), 0)
    await page.getByRole('button', { name: 'Keep it' }).tap()
    await page.locator('#denials button').first().tap()
    await tab.reads('#explaining-body', /Decision/)
    assert.equal(await page.evaluate(overflow), 0)
    assert.equal(
      await page.evaluate(
        `document.querySelector('#explaining').scrollWidth <= document.querySelector('#explaining').clientWidth`,
      ),
      true,
    )
  })

  test('the picture of a busy evening', async (t) => {
    const evening = await startGate(scope, {
      BACKEND_URL: `${busy.backend.url}/auth`,
      LISTEN: `127.0.0.1:${await findFreePort()}`,
      ADMIN_LISTEN: '127.0.0.1:0',
      CHANNEL_PATTERN: '^/live/([^/]+)/',
      ALLOW_TTL: '2s',
      BACKEND_TIMEOUT: '500ms',
    })
    const tabs: LivePageTab[] = []
    for (const colorScheme of ['light', 'dark'] as const)
      tabs.push(await openLivePage(t, busy.browser, adminUrl(evening), { viewport: SIZE, colorScheme }))
    await play(t, evening, makesPictures ? 122 : 12)
    for (const [index, { page }] of tabs.entries()) {
      const png = await page.screenshot()
      const file = index === 0 && makesPictures ? committed : join(makeTemporaryFolder(t), 'live-page.png')
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, png)
      assert.deepEqual(sizeOfPng(png), [SIZE.width, SIZE.height])
      assert.ok(png.length < MOST_BYTES, `${png.length} bytes`)
      const blank = await (await busy.browser.newContext()).newPage()
      t.after(() => blank.context().close())
      for (const place of ['#allow svg', '#deny svg', '#grid', '#denials']) {
        const box = await page.locator(place).first().boundingBox()
        assert.ok(box !== null, place)
        const area = {
          x: Math.ceil(box.x),
          y: Math.ceil(box.y),
          width: Math.floor(box.width),
          height: Math.floor(box.height),
        }
        assert.ok((await countColours(blank, png, area)) > 10, `${place} is blank`)
      }
    }
  })

  /** An evening: viewers come, play, some guess, and in between the backend is silent for a while. */
  async function play(t: Parameters<typeof openLivePage>[0], evening: Gate, seconds: number): Promise<void> {
    const lines = openGateLines(scope, evening.port, 64)
    const turns = seconds * 10
    const asked: Promise<unknown>[] = []
    let come = 0
    t.after(() => {
      busy.backend.answer = namesOrNobody
    })
    for (; come < 140; come++) await openSession(lines, come)
    for (let turn = 0; turn < turns; turn++) {
      const isSilent = turn > turns * 0.45 && turn < turns * 0.68
      busy.backend.answer = isSilent ? () => {} : namesOrNobody
      const wave = 14 + 6 * Math.sin(turn / 90) + 2 * Math.sin(turn / 17)
      for (let one = 0; one < wave; one++) asked.push(playOn(lines, (turn * 31 + one * 17) % come))
      // A viewer who comes while the backend is silent is refused.
      if (turn % 8 === 0) asked.push(openSession(lines, come++).catch(() => come))
      const uri = `/live/${viewer(turn).channel}/index.m3u8?token=guess-${turn}`
      if (turn % 6 === 0) asked.push(lines({ ...viewer(turn * 3), uri }))
      if (turn % 40 === 0) asked.push(lines({ ...viewer(turn), path: '', uri: '/x' }))
      await delay(100)
    }
    await Promise.all(asked)
  }
})

test('the picture of the README is the size that it should be', () => {
  const png = readFileSync(committed)
  assert.deepEqual(sizeOfPng(png), [SIZE.width, SIZE.height])
  assert.ok(png.length < MOST_BYTES)
})
