import assert from 'node:assert/strict'
import { before, describe, type TestContext, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { showExplanation } from '../../src/cli/show-explanation.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { startBackend } from '../support/backend.ts'
import { namesOrNobody, viewer as viewerOf } from '../support/busy-audience.ts'
import { request } from '../support/client.ts'
import { faintTexts } from '../support/contrast.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { adminUrl, openLivePage } from '../support/live-page-tab.ts'
import { suiteScope } from '../support/scope.ts'
import { newViewer, type Site, startSite } from '../support/site.ts'

const environment = {
  ADMIN_LISTEN: '127.0.0.1:0',
  CHANNEL_PATTERN: '^/live/([^/]+)/',
  // A viewer who plays makes the gate ask, so that it notices an outage.
  ALLOW_TTL: '1s',
} as const
const TOKEN = 'a-token-of-the-operator-0123456789'

/** The live page of a gate behind nginx, and what viewers do meanwhile. */
export function pageOfOneGate(shared: { readonly browser: Browser }): void {
  describe('the live page of a gate behind nginx', { concurrency: 1 }, () => {
    const scope = suiteScope()
    let site: Site
    let url = ''
    before(async () => {
      const files = ['/live/news/index.m3u8', '/live/news/0.ts', '/live/film/index.m3u8', '/live/film/0.ts']
      site = await startSite(scope, {
        environment,
        nginx: { files: Object.fromEntries(files.map((file) => [file, '#EXTM3U\n'])) },
      })
      site.backend.answer = namesOrNobody
      url = adminUrl(site.gate)
    })

    const ask = async (path: string, viewer: string): Promise<number> =>
      (await get({ port: site.nginx.port }, path, { 'User-Agent': viewer })).status

    /** Plays the news until the test ends, as a browser of this user would. */
    const play = async (t: TestContext, user: string): Promise<void> => {
      const viewer = `${viewerOf(1).userAgent} ${user}`
      assert.equal(await ask(`/live/news/index.m3u8?token=${user}`, viewer), 200)
      const asking = setInterval(() => void ask('/live/news/0.ts', viewer).catch(() => undefined), 200)
      t.after(() => clearInterval(asking))
    }

    test('a viewer who plays is listed with name, channel, address, player and time, and the chart moves', async (t) => {
      const tab = await openLivePage(t, shared.browser, url)
      await tab.reads('#link-text', /^Live$/)
      await play(t, 'anna-1')
      await tab.lists('sessions', /^anna-1 +news 127\.0\.0\.1 Chrome \d+ \d\d:\d\d:\d\d \d+ s \d+/)
      await tab.reads('#allowed', /[1-9]/)
      await tab.reads('#allow .legend', /known session\s+[1-9]/)
      const shape = await tab.page.evaluate<string>(chartOf('allow', 'soft'))
      await tab.until('the chart to move', `${chartOf('allow', 'soft')} !== ${JSON.stringify(shape)}`)
      await tab.reads('#backends', /answers[\s\S]*Half within\s+\S+ m?s[\s\S]*Breaker\s+closed/)
      // New values of a known session: its number of requests has grown.
      await tab.lists('sessions', /^anna-1 .* (?:[6-9]|\d\d)(?: requests)? Close$/)
      const label = await tab.page
        .getByRole('img', { name: /^Allowed per second: [\d.]+ now/ })
        .getAttribute('aria-label')
      assert.match(label ?? '', /known session/)
    })

    test('a refused request is among the denials, and is explained', async (t) => {
      // Chromium logs an answer with an error status as an error.
      const tab = await openLivePage(t, shared.browser, url, { forgiven: /status of 400/ })
      assert.equal(await ask('/live/film/index.m3u8?token=secret-guess', 'VLC/3.0.21 LibVLC/3.0.21'), 403)
      await tab.lists(
        'denials',
        /^\d\d:\d\d:\d\d 127\.0\.0\.1 VLC 3\.0\.21 \/live\/film\/index\.m3u8 backend-403 the backend answers 403, and only 200 allows Explain$/,
      )
      await tab.reads('#denied', /\d/)
      await tab.pressIn('denials', /film/)
      await tab.reads('#explaining-body', /Decision\s+Verdict\s+deny/)
      const explanation = await tab.text('#explaining')
      for (const part of [/answers 403 Forbidden/, /token=\*\*\*\(12\)/, /the channel film/])
        assert.match(explanation, part)
      assert.doesNotMatch(await tab.page.content(), /secret-guess/)
      await tab.page.keyboard.press('Escape')
      assert.equal(await tab.focused(), 'Explain')

      await tab.page.getByLabel('URL').fill('http://localhost/live/film/index.m3u8?token=anna-9')
      await tab.page.getByRole('textbox', { name: 'Address' }).fill('192.0.2.9')
      await tab.page.keyboard.press('Enter')
      await tab.reads(
        '#explaining-body',
        /Verdict\s+allow[\s\S]*192\.0\.2\.9[\s\S]*Status\s+200[\s\S]*Took\s+\S+ m?s/,
      )
      const { body } = await get(
        { port: site.gate.adminPort },
        '/explain?url=http://localhost/live/film/index.m3u8?token=anna-9&ip=192.0.2.9',
      )
      const heads = showExplanation(JSON.parse(body) as Explanation).match(/^\S.*$/gm)
      assert.deepEqual(
        (await tab.page.locator('#explaining-body h3').allTextContents()).sort(),
        heads?.sort(),
      )
      await tab.page.getByRole('button', { name: 'Done' }).click()
      await tab.page.getByLabel('URL').fill('not a URL')
      await tab.page.keyboard.press('Enter')
      await tab.reads('#explaining-body', /the URL must be a whole one/)
    })

    test('a session that is closed, here or elsewhere, ends, and its row goes', async (t) => {
      const tab = await openLivePage(t, shared.browser, url, { reducedMotion: 'reduce' })
      const viewer = newViewer()
      assert.equal(await ask('/live/film/index.m3u8?token=bruno-2', viewer), 200)
      assert.equal(await ask('/live/film/0.ts', viewer), 200)
      await tab.pressIn('sessions', /bruno-2/)
      await tab.reads('#closing', /bruno-2[\s\S]*film[\s\S]*judged anew/)
      await tab.page.getByRole('button', { name: 'Keep it' }).click()
      assert.equal(await ask('/live/film/0.ts', viewer), 200)
      await tab.pressIn('sessions', /bruno-2/)
      await tab.page.getByRole('button', { name: 'Close the session', exact: true }).click()
      await tab.listsNot('sessions', /bruno-2/)
      assert.equal(await ask('/live/film/0.ts', viewer), 403)
      await tab.reads('#announcement', /closed/)

      // A session that ends elsewhere goes, too.
      assert.equal(await ask('/live/film/index.m3u8?token=clara-3', newViewer()), 200)
      await tab.lists('sessions', /clara-3/)
      assert.equal((await fetch(`${url}/sessions?user=clara-3`, { method: 'DELETE' })).status, 200)
      await tab.listsNot('sessions', /clara-3/)
    })

    test('what viewers send is shown as it is, does nothing, and turns nothing round', async (t) => {
      const tab = await openLivePage(t, shared.browser, url)
      const agent = '<img src=x onerror=alert(1)> \xe2\x80\xae\x9b31m'
      const send = async (target: string): Promise<number> =>
        (await request({ port: site.nginx.port, target, headers: [`User-Agent: ${agent}`] })).status
      assert.equal(await send('/live/%3Cimg%20src=x%20onerror=alert(1)%3E/x.m3u8?token=anna-4'), 404)
      await tab.lists('sessions', /^anna-4 .*img.* <img src=x onerror=alert\(1\)>/)
      assert.equal(await send('/live/%E2%80%AEmoc.live%0A/x.m3u8?token=bad'), 403)
      assert.equal(await send('/live/%E2%80%AEmoc.live/x.m3u8?token=bad'), 403)
      await tab.lists('denials', /%E2%80%AEmoc\.live/)
      await tab.pressIn('denials', /moc\.live/)
      await tab.reads('#explaining-body', /<img src=x onerror=alert\(1\)>/)
      assert.equal(await tab.page.locator('body img').count(), 0)
      assert.doesNotMatch(await tab.text('body'), /[\u202e\u0000-\u0008\u009b]/)
    })

    test('what a gate would let through by a mistake does nothing on the page either', async (t) => {
      const tab = await openLivePage(t, shared.browser, url, { forgiven: /status of 400/ })
      const hostile = '<img src=x onerror=alert(1)>\u202egnp.\u0007\u009b31m\ud800'
      const names = ['user', 'channel', 'address', 'origin', 'path', 'userAgent']
      const texts = Object.fromEntries(names.map((name) => [name, hostile]))
      const time = new Date().toISOString()
      const times = { start: time, lastRequest: time }
      const session = { ...texts, ...times, session: 'hostile', playbackId: '', provisional: false }
      const why = { source: hostile, reason: hostile, why: hostile, session: hostile }
      const denial = { ...texts, ...why, denial: 1_000_000, time }
      const answers = {
        '**/sessions?*': {
          sessions: [{ ...session, requests: 1, recheck: null, unavailable: hostile }],
          next: null,
          total: 1,
        },
        '**/denials': { denials: [denial] },
        '**/explain?*': {
          occasion: hostile,
          // Names with a meaning on this page, or in JavaScript.
          questions: [{ answerHeaders: { ms: hostile, constructor: hostile } }],
          [hostile]: [hostile, { [hostile]: { [hostile]: hostile } }],
        },
      }
      for (const [address, json] of Object.entries(answers))
        await tab.page.route(address, (route) => route.fulfill({ json }))
      await tab.page.reload()
      const shown = '<img src=x onerror=alert(1)>\\u{202e}gnp.\\u{7}\\u{9b}31m\\u{d800}'
      await tab.until(
        'the session',
        `document.querySelector('#grid .rows').innerText.includes(${JSON.stringify(shown)})`,
      )
      await tab.lists('denials', /^\d\d:.*u\{202e\}gnp.* Explain$/)
      await tab.pressIn('sessions', /img/)
      await tab.reads('#closing', /u\{202e\}gnp/)
      await tab.page.keyboard.press('Escape')
      await tab.pressIn('denials', /img/)
      await tab.until(
        'the explanation',
        `document.querySelector('#explaining-body').innerText.split(${JSON.stringify(shown)}).length === 9`,
      )
      await tab.reads('#explaining-body', /Constructor/)
      await tab.page.route('**/explain?*', (route) =>
        route.fulfill({ status: 400, json: { error: hostile } }),
      )
      await tab.page.keyboard.press('Escape')
      await tab.pressIn('denials', /img/)
      await tab.until(
        'the error',
        `document.querySelector('#explaining-body').innerText === ${JSON.stringify(shown)}`,
      )
      assert.equal(await tab.page.locator('body img').count(), 0)
      // Not in attributes either, because titles and names are read, too.
      assert.doesNotMatch(
        await tab.page.evaluate<string>('document.body.outerHTML'),
        /[\u202e\u0007\u009b\ud800]/,
      )
    })

    test('an outage of the backend shows within seconds, and so does its end', async (t) => {
      const tab = await openLivePage(t, shared.browser, url)
      await play(t, 'elena-5')
      await tab.reads('#backends', /answers/)
      await site.backend.stop()
      await tab.reads('#announcement', /^Backend \S+: unavailable\.$/)
      await tab.reads('#backends', /unavailable\s+for \d+ s: nothing listens/)
      await tab.reads('#action-means', /new viewers are refused; who plays goes on/)
      await tab.lists('sessions', /^elena-5 stale news/)
      assert.equal(await ask('/live/film/index.m3u8?token=farid-6', newViewer()), 403)
      await tab.lists('denials', /unavailable-\w+ .*the default action refused/)
      await tab.reads('#allow .legend', /stale, backend down\s+[1-9]/)

      const again = await startBackend(scope, site.backend.port)
      again.answer = namesOrNobody
      await tab.reads('#backends', /answers/)
      await tab.lists('sessions', /^elena-5 +news/)
      await tab.reads('#action-means', /^in an outage new viewers are refused$/)
    })

    test('a gate with a token asks for it, keeps it for this tab only, and forgets it when told to', async (t) => {
      const closed = await startGate(scope, {
        ...environment,
        BACKEND_URL: site.backend.url,
        ADMIN_TOKEN: TOKEN,
      })
      const tab = await openLivePage(t, shared.browser, adminUrl(closed), { forgiven: /status of 401/ })
      const { page } = tab
      await tab.reads('#lock', /This gate asks for its token/)
      assert.equal(await page.isVisible('#content'), false)
      await page.keyboard.type('not-the-token')
      await page.keyboard.press('Enter')
      await tab.reads('#lock-said', /does not accept this token/)
      await page.getByRole('textbox', { name: 'Token' }).fill(TOKEN)
      await page.keyboard.press('Enter')
      await tab.reads('#link-text', /^Live$/)
      assert.deepEqual([await page.isVisible('#lock'), await faintTexts(page)], [false, []])
      assert.doesNotMatch(await page.content(), new RegExp(TOKEN))
      const kept = '[document.cookie, localStorage.length, location.search]'
      assert.deepEqual(await page.evaluate(kept), ['', 0, ''])
      await page.reload()
      await tab.reads('#link-text', /^Live$/)
      await page.getByRole('button', { name: 'Forget the token' }).click()
      await tab.reads('#lock', /This gate asks for its token/)
      assert.deepEqual([await page.evaluate('sessionStorage.length'), await tab.text('#lock-said')], [0, ''])
    })
  })
}

const chartOf = (figure: string, fill: string): string =>
  `document.querySelector('#${figure} figcaption + svg .of-${fill}').getAttribute('d')`
