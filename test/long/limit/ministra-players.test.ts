import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBrowser } from '../../support/browser.ts'
import { playWithFfmpeg } from '../../support/ffmpeg-player.ts'
import { openPlayer, writePlayerPage } from '../../support/hls-player.ts'
import { startLiveStream } from '../../support/live-stream.ts'
import { createTemporaryLinks, ministraScript } from '../../support/ministra-portal.ts'
import { newViewer, startSite } from '../../support/site.ts'
import { until } from '../../support/until.ts'
import { type LoggedRequest, readViewerLog } from '../../support/viewer-log.ts'

/** How long a displaced player stays out of its channel after its last try, with a margin; milliseconds. */
const COME_BACK = 21_000

const isOut = ({ status, reason }: LoggedRequest): boolean => status === 403 && reason === 'session-limit'
const isServed = ({ status }: LoggedRequest): boolean => status === 200 || status === 206
const isSegment = (one: LoggedRequest): boolean => isServed(one) && one.path.includes('.ts')

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
  // On a busy machine it may ask for a segment that has left the window: a 404 is no refusal.
  assert.deepEqual(
    tabLog.filter(({ status }) => status === 403),
    [],
  )
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
