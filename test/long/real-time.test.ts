import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBrowser } from '../support/browser.ts'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { playWithFfmpeg } from '../support/ffmpeg-player.ts'
import { openPlayer, writePlayerPage } from '../support/hls-player.ts'
import { get } from '../support/http-get.ts'
import { limitCases } from '../support/limit-cases.ts'
import { startLimitSite } from '../support/limit-site.ts'
import { startLiveStream } from '../support/live-stream.ts'
import { createTemporaryLinks, ministraScript } from '../support/ministra-portal.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { type LoggedRequest, readViewerLog } from '../support/viewer-log.ts'

/** Longer than a minute, by what a busy machine may need; milliseconds. */
const PLAYS = 75_000

/** How long a displaced player stays out of its channel after its last try, with a margin; milliseconds. */
const COME_BACK = 21_000

const isOut = ({ status, reason }: LoggedRequest): boolean => status === 403 && reason === 'session-limit'
const isServed = ({ status }: LoggedRequest): boolean => status === 200 || status === 206
const isSegment = (one: LoggedRequest): boolean => isServed(one) && one.path.includes('.ts')

/** All of it side by side, since it waits: about a minute and a half. */
describe('what takes a minute and more of real time', { concurrency: true }, () => {
  describe('how many at once, through nginx in real time', { concurrency: true }, () => {
    for (const sessionLimit of ['newest', 'refuse', 'report'] as const)
      describe(`SESSION_LIMIT=${sessionLimit}`, { concurrency: true }, () => {
        const site = forSuite((scope) => startLimitSite(scope, { SESSION_LIMIT: sessionLimit }))
        for (const one of limitCases)
          if ((one.sessionLimit ?? 'newest') === sessionLimit)
            test(one.name, (t) => one.play(site.stage(t, one)))
      })
  })

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

  /**
   * Ministra's whole contract, with links of five seconds: `X-Max-Sessions: 1`, `X-Unique: true`. One user has
   * ffmpeg at 127.0.0.1 and hls.js at ::1.
   */
  test('the newer of two players plays, the older stops, and a new link turns it round', async (t) => {
    const links = createTemporaryLinks(() => performance.now())
    const site = await startSite(t, {
      backendPath: '',
      environment: { MIDDLEWARE: 'ministra' },
      nginx: { files: {} },
    })
    const { nginx, backend } = site
    backend.answer = ministraScript(links, 1)
    writePlayerPage(nginx)
    const [browser] = await Promise.all([
      startBrowser(t),
      startLiveStream(t, join(nginx.root, 'live'), { seconds: 150, window: 6, spare: 10 }),
    ])
    const entry = (): string => `/live/index.m3u8?token=${links.issue('42')}`
    const box = newViewer()
    const startBox = (): (() => Promise<void>) => {
      const ends: (() => Promise<void> | void)[] = []
      void playWithFfmpeg({ after: (end) => void ends.push(end) }, `${nginx.url}${entry()}`, box)
      const stop = async (): Promise<void> => {
        for (const end of ends.splice(0)) await end()
      }
      t.after(stop)
      return stop
    }
    const segmentsOfBox = async (): Promise<number> =>
      (await readViewerLog(nginx, box)).filter(isSegment).length

    // The box plays for longer than its link lives.
    const stopBox = startBox()
    await until('ffmpeg to play', async () => (await segmentsOfBox()) >= 9, 30_000)
    assert.equal(backend.asked.length, 1)

    const userAgent = newViewer()
    const context = await browser.newContext({ userAgent })
    t.after(() => context.close())
    const tab = await openPlayer(context, { ...nginx, url: `http://[::1]:${nginx.port}` }, entry())
    await tab.until('seen().played >= 8', 40_000)
    const [boxLog, tabLog] = [await readViewerLog(nginx, box), await readViewerLog(nginx, userAgent)]
    assert.ok(isOut(boxLog.at(-1) as LoggedRequest), JSON.stringify(boxLog.at(-1)))
    const out = boxLog.findIndex(isOut)
    assert.ok(boxLog.slice(out).every(isOut), 'once out, the box stays out')
    assert.ok(tabLog.every(isServed))
    assert.equal(backend.asked.length, 2, 'the refused requests of the box are no questions')

    await stopBox()
    await delay(COME_BACK)
    const before = await segmentsOfBox()
    startBox()
    await until('ffmpeg to play again', async () => (await segmentsOfBox()) >= before + 5, 30_000)
    await until('hls.js to be out', async () =>
      isOut((await readViewerLog(nginx, userAgent)).at(-1) as LoggedRequest),
    )
    assert.ok(isServed((await readViewerLog(nginx, box)).at(-1) as LoggedRequest))
  })
})
