import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askAdmin } from '../../support/admin-gate.ts'
import { createCookiePlayer } from '../../support/cookie-player.ts'
import { startCookieStage } from '../../support/cookie-stage.ts'
import { startLiveStream } from '../../support/live-stream.ts'
import { startMovingFfmpeg } from '../../support/moving-player.ts'
import { startMovingRelay } from '../../support/moving-relay.ts'
import { forSuite } from '../../support/scope.ts'
import { newViewer } from '../../support/site.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { readViewerLog } from '../../support/viewer-log.ts'

const shared = '198.51.100.7'

describe('SESSION_COOKIE=strict, behind one address with the same player', { concurrency: true }, () => {
  const stage = forSuite(async (scope) => {
    const stream = makeTemporaryFolder(scope)
    await startLiveStream(scope, stream, { seconds: 60, window: 6, spare: 60, variants: 2 })
    return await startCookieStage(scope, 'strict', stream)
  })

  for (const whose of ['no', 'another channel’s', 'another site’s', 'an ended session’s'])
    test(`while ffmpeg plays, a neighbour with ${whose} cookie gets nothing`, async (t) => {
      const viewer = newViewer()
      const relay = await startMovingRelay(t, stage.plain, shared)
      const own = `http://127.0.0.1:${relay.port}`
      const player = startMovingFfmpeg(t, viewer, own + stage.entry('live'))
      await stage.untilPlaysAt(viewer, shared, player)

      const neighbour = createCookiePlayer(t, relay, { userAgent: viewer })
      const host = { Host: `127.0.0.1:${relay.port}` }
      const open = async (place: 'live' | 'dual', at = host): Promise<void> => {
        assert.equal(await neighbour.get(stage.entry(place), at), 200)
        assert.equal(await neighbour.get(`/${place}/low/0.ts`, at), 200)
      }
      if (whose === 'another channel’s') await open('dual')
      if (whose === 'another site’s') await open('live', { Host: 'other.test' })
      if (whose === 'an ended session’s') {
        await open('live')
        const session = (await readViewerLog(stage.nginx, viewer)).findLast(
          ({ path }) => path === '/live/master.m3u8',
        )?.session
        const closed = await askAdmin({ port: stage.gate.adminPort }, `DELETE /sessions/${session}`)
        assert.equal(closed.status, 204)
      }
      assert.equal(neighbour.cookie === undefined, whose === 'no')

      const played = (await readViewerLog(stage.nginx, viewer)).map(({ path }) => path)
      const targets = [...new Set(played.filter((path) => path.startsWith('/live/'))), '/live/master.m3u8']
      let letIn = 0
      for (const target of targets) if ((await neighbour.get(target, host)) !== 403) letIn++
      t.diagnostic(`${letIn} of ${targets.length} requests let in`)
      assert.ok(targets.length >= 6)
      assert.equal(letIn, 0)

      const refusedBefore = (await stage.tally(viewer)).refused.length
      await stage.untilPlaysAt(viewer, shared, player)
      const { refused } = await stage.tally(viewer)
      assert.equal(refused.length, refusedBefore, 'who plays is not disturbed')
    })
})
