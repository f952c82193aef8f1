import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startBrowser } from '../../support/browser.ts'
import { type CookieStage, GaveUp, isRefused, startCookieStage } from '../../support/cookie-stage.ts'
import { startLiveStream } from '../../support/live-stream.ts'
import {
  type MovingPlayer,
  openInBrowser,
  startMovingFfmpeg,
  startMovingVlc,
} from '../../support/moving-player.ts'
import { type MovingRelay, startMovingRelay, type Told } from '../../support/moving-relay.ts'
import { writeOtherOriginPage } from '../../support/other-origin-page.ts'
import { suiteScope } from '../../support/scope.ts'
import { newViewer } from '../../support/site.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'

const home = '198.51.100.7'
const mobile = '203.0.113.9'
const mobile6 = '2001:db8:9:1::7'
const moves = [home, mobile, mobile6] as const
/** Two privacy addresses of one network. */
const [morning, evening] = ['2001:db8:5:6:1111:2222:3333:4444', '2001:db8:5:6:9999:8888:7777:6666']

describe('players whose address changes, with tokens that are dead after the opening', {
  concurrency: 10,
}, () => {
  const scope = suiteScope()
  let browser: Browser
  const stages: { on?: CookieStage; strict?: CookieStage } = {}
  before(async () => {
    const stream = makeTemporaryFolder(scope)
    const starting = startLiveStream(scope, stream, { seconds: 180, window: 6, spare: 10, variants: 2 })
    const switches = ['--ignore-certificate-errors', '--host-resolver-rules=MAP *.test 127.0.0.1']
    browser = await startBrowser(scope, switches)
    for (const mode of ['on', 'strict'] as const) {
      const stage = await startCookieStage(scope, mode, stream)
      writeOtherOriginPage(join(stage.nginx.root, 'open'))
      stages[mode] = stage
    }
    await starting
  })
  const stageOf = (mode: 'on' | 'strict'): CookieStage => {
    const stage = stages[mode]
    assert.ok(stage)
    return stage
  }

  type Start = (relay: MovingRelay, viewer: string) => MovingPlayer | Promise<MovingPlayer>

  /** Starts a player behind a relay and lets it move: nothing is refused, and the backend is asked once. */
  const play = async (
    t: TestContext,
    stage: CookieStage,
    addresses: readonly string[],
    start: Start,
    port = stage.plain,
  ): Promise<void> => {
    const viewer = newViewer()
    const relay = await startMovingRelay(t, port, addresses[0] ?? '')
    const player = await start(relay, viewer)
    const stays = async (): Promise<void> => {
      for (const address of addresses) {
        if (address !== addresses[0]) relay.moveTo(address)
        await stage.untilPlaysAt(viewer, address, player)
      }
    }
    const ending = await stays().catch((error: unknown) => error)
    const { log, refused, questions } = await stage.tally(viewer)
    t.diagnostic(`${log.length} requests, ${refused.length} refused, ${questions} questions`)
    assert.deepEqual([refused, questions], [[], 1])
    if (ending !== undefined) throw ending
  }

  for (const mode of ['on', 'strict'] as const) {
    for (const player of ['hls.js', 'Chromium'] as const)
      test(`${mode}: ${player === 'hls.js' ? player : 'what Chromium plays by itself'}`, (t) => {
        const stage = stageOf(mode)
        const start: Start = ({ port }, viewer) => {
          const own = `http://127.0.0.1:${port}`
          const stream = own + stage.entry('live', player === 'Chromium' ? 'low/index.m3u8' : undefined)
          return openInBrowser(t, browser, viewer, player, `${own}/open/page.html`, stream)
        }
        return trying(t, player === 'Chromium' ? 5 : 1, () => play(t, stage, moves, start))
      })

    test(`${mode}: hls.js with credentials on a page of another site, over https`, (t) => {
      const stage = stageOf(mode)
      const start = ({ port }: MovingRelay, viewer: string): Promise<MovingPlayer> => {
        const page = `https://page.test:${stage.nginx.tlsPort}/open/page.html`
        const stream = `https://tv.test:${port}${stage.entry('live')}`
        return openInBrowser(t, browser, viewer, 'hls.js', page, stream)
      }
      return play(t, stage, moves, start, stage.tls)
    })

    for (const [name, start] of [
      ['ffmpeg', startMovingFfmpeg],
      ['VLC', startMovingVlc],
    ] as const)
      test(`${mode}: ${name}`, (t) => {
        const stage = stageOf(mode)
        return play(t, stage, moves, ({ port }, viewer) =>
          start(t, viewer, `http://127.0.0.1:${port}${stage.entry('live')}`),
        )
      })

    test(`${mode}: ffmpeg loads playlists over IPv6 and segments over IPv4`, async (t) => {
      const stage = stageOf(mode)
      const viewer = newViewer()
      const told: Told = (head) => (/^GET \S+\.m3u8/.test(head) ? mobile6 : home)
      const { port } = await startMovingRelay(t, stage.plain, told)
      const player = startMovingFfmpeg(t, viewer, `http://127.0.0.1:${port}${stage.entry('dual')}`)
      await stage.untilPlaysAt(viewer, home, player)
      const { log, refused, questions } = await stage.tally(viewer)
      assert.ok(log.every(({ path, address }) => address === (path.endsWith('.ts') ? home : mobile6)))
      assert.deepEqual([refused, questions], [[], 1])
    })
  }

  test('without cookie.conf an IPv6 address may change within its /64', (t) => {
    const stage = stageOf('on')
    return play(t, stage, [morning, evening], ({ port }, viewer) =>
      startMovingFfmpeg(t, viewer, `http://127.0.0.1:${port}${stage.entry('plain')}`),
    )
  })

  for (const [from, to] of [
    [home, mobile],
    [morning, mobile6],
  ] as const)
    test(`without cookie.conf who moves from ${from} to ${to} is refused`, async (t) => {
      const stage = stageOf('on')
      const viewer = newViewer()
      const relay = await startMovingRelay(t, stage.plain, from)
      const stream = `http://127.0.0.1:${relay.port}${stage.entry('plain')}`
      await stage.untilPlaysAt(viewer, from, startMovingFfmpeg(t, viewer, stream))
      relay.moveTo(to)
      await until(`${viewer} to be refused`, async () => (await stage.tally(viewer)).refused.length > 0)
      const { log } = await stage.tally(viewer)
      assert.ok(log.filter(({ address }) => address === to).every(isRefused))
    })
})

/**
 * Chromium gives up a live stream now and then, wherever it is: it takes a segment for the next that is none.
 * Then it starts again, unless something was refused.
 */
async function trying(t: TestContext, most: number, act: () => Promise<void>): Promise<void> {
  for (let turn = 1; turn < most; turn++) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof GaveUp)) throw error
      t.diagnostic(`started again: ${error.message}`)
    }
  }
  await act()
}
