import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { startLiveStream } from '../support/live-stream.ts'
import { DURATION, makeMedia, SEGMENT } from '../support/media.ts'
import { startNginx } from '../support/nginx.ts'
import { playThroughRestarts, startRestartedSite } from '../support/play-through-restarts.ts'
import { type RealPlayer, startFfmpeg, startHlsJs, startMpv } from '../support/real-players.ts'
import { forSuite } from '../support/scope.ts'
import { startStreamOrigin } from '../support/stream-origin.ts'
import { until } from '../support/until.ts'
import { readViewerLog } from '../support/viewer-log.ts'

/**
 * How many of each kind, and how many set-top boxes: RESTARTS=30 BOXES=1000 npm test --
 * test/long/plays-on.test.ts
 */
const RESTARTS = Number(process.env['RESTARTS'] ?? 3)
const BOXES = Number(process.env['BOXES'] ?? 200)

describe(`${BOXES} boxes, hls.js, ffmpeg and mpv play on with dead links`, { timeout: 1_500_000 }, () => {
  const site = forSuite(async (scope) => {
    const site = await startRestartedSite(scope)
    const media = makeMedia()
    scope.after(() => rmSync(media, { recursive: true }))
    const parts = Array.from({ length: DURATION / SEGMENT }, (_, at) => `${media}/single/${at}.ts`)
    const film = join(media, 'film.ts')
    writeFileSync(film, Buffer.concat(parts.map((part) => readFileSync(part))))
    const origin = await startStreamOrigin(scope, film, 3)
    // For these nginx carries the moment without a gate, as a site would choose whose players give up.
    const nginx = await startNginx(scope, {
      gates: [`127.0.0.1:${site.gate.port}`],
      onFailure: 'allow',
      server: `
        location / { LOCATION }
        location /stream/ { LOCATION proxy_pass http://127.0.0.1:${origin}; proxy_buffering off; chunked_transfer_encoding off; }
        location /open/ { }`,
    })
    await startLiveStream(scope, join(nginx.root, 'live'), { seconds: 1_500, window: 6, spare: 6 })
    return { ...site, players: nginx }
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`${RESTARTS} times ${signal}`, async (t) => {
      const players = await startPlayers(t, signal)
      const { backend } = site.portal
      const own = () =>
        backend.asked.filter(({ headers }) => players.some((one) => one.userAgent === headers['X-Real-Ua']))
      assert.equal(own().length, players.length)
      await playThroughRestarts(t, site, { count: BOXES, restarts: RESTARTS, signal })
      // A stream asks again only when it is cut.
      const adoptedOf = async (userAgent: string): Promise<number> =>
        (await readViewerLog(site.players, userAgent)).filter(({ reason }) => reason === 'adopted').length
      for (const player of players) {
        await player.stillPlays()
        const { userAgent } = player
        await until(`${userAgent} to be adopted`, async () => (await adoptedOf(userAgent)) > 0, 60_000)
      }
      assert.equal(own().length, players.length, 'no further question')
      for (const { userAgent } of players) {
        const log = await readViewerLog(site.players, userAgent)
        const adopted = await adoptedOf(userAgent)
        const byNginx = log.filter(({ reason }) => reason === 'gate-unavailable').length
        t.diagnostic(`${userAgent}: ${log.length} requests, ${adopted} adopted, ${byNginx} by nginx`)
        assert.deepEqual(
          log.filter(({ status }) => ![200, 206, 304].includes(status)),
          [],
          userAgent,
        )
      }
    })
  }

  async function startPlayers(t: TestContext, round: string): Promise<RealPlayer[]> {
    const { links } = site.portal
    const { url } = site.players
    const hls = (user: string): string => `/live/index.m3u8?token=${links.issue(user)}`
    const stream = (user: string): string => `${url}/stream/one.ts?token=${links.issue(user)}`
    const players = [
      startFfmpeg(t, `${url}${hls('ffmpeg')}`, `ffmpeg hls ${round}`, false),
      startFfmpeg(t, stream('ffmpeg'), `ffmpeg mpeg-ts ${round}`, true),
      startMpv(t, `${url}${hls('mpv')}`, `mpv hls ${round}`, false),
      startMpv(t, stream('mpv'), `mpv mpeg-ts ${round}`, true),
      await startHlsJs(t, site.players, hls('browser'), `hls.js ${round}`),
    ]
    for (const { userAgent } of players)
      await until(
        `${userAgent} to play`,
        async () => (await readViewerLog(site.players, userAgent)).length > 0,
        40_000,
      )
    return players
  }
})
