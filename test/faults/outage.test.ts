import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Verdict } from '../../src/verdict.ts'
import { startBackend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { rounds } from '../support/rounds.ts'
import { startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

const verdicts: readonly Verdict[] = ['allow', 'deny']
const GOOD = '/live/one/index.m3u8?token=good'
const BAD = '/live/one/index.m3u8?token=bad'
/** Milliseconds between requests. */
const STEP = 200

/** Does it again and again for this many milliseconds. */
async function repeat(duration: number, act: () => Promise<void>): Promise<void> {
  const end = performance.now() + duration
  while (performance.now() < end) {
    await act()
    await delay(STEP)
  }
}

/** Asks for the target again and again until the status is another; how long that took. */
async function timeUntil(viewer: Viewer, target: string, status: number): Promise<number> {
  const began = performance.now()
  while ((await viewer.get(target)) !== status) {
    assert.ok(performance.now() - began < 10_000, `no ${status} for ${target}`)
    await delay(STEP)
  }
  return performance.now() - began
}

describe('a backend that is stopped and started again', { concurrency: true }, () => {
  for (const defaultAction of verdicts.slice(0, rounds(1, 2))) {
    test(`playing viewers notice nothing, others get the default action ${defaultAction}, real verdicts return`, async (t) => {
      const { backend, nginx } = await startSite(t, {
        environment: { ALLOW_TTL: '1s', DENY_TTL: '1s', DEFAULT_TTL: '1s', DEFAULT_ACTION: defaultAction },
        nginx: { files: channelFiles(['one'], 1) },
      })
      backend.answer = hasToken('good')
      const [playing, refused, good, bad] = [
        createViewer(t, nginx),
        createViewer(t, nginx),
        createViewer(t, nginx),
        createViewer(t, nginx),
      ]
      const byDefault = defaultAction === 'allow' ? 200 : 403
      const plays = async (): Promise<void> => {
        assert.equal(await playing.get('/live/one/0.ts'), 200, 'a playing viewer')
        assert.equal(await playing.get(GOOD), 200, 'a playing viewer reloads')
      }
      assert.equal(await playing.get(GOOD), 200)
      assert.equal(await refused.get(BAD), 403)

      await backend.stop()
      // Enough failures of enough networks: the breaker is open for the rest of the outage.
      for (let n = 1; n <= 12; n++)
        assert.equal(await createViewer(t, nginx, { from: `127.1.${n}.1` }).get(GOOD), byDefault)
      await repeat(4_000, async () => {
        await plays()
        assert.equal(await refused.get(BAD), 403, 'a refused viewer')
        assert.equal(await good.get(GOOD), byDefault, 'a new viewer')
        assert.equal(await bad.get(BAD), byDefault, 'a new viewer with a bad token')
      })

      const again = await startBackend(t, backend.port)
      again.answer = hasToken('good')
      const [took] = await Promise.all([
        Promise.all([timeUntil(good, GOOD, 200), timeUntil(bad, BAD, 403)]),
        repeat(5_000, plays),
      ])
      t.diagnostic(`${defaultAction}: verdicts were back after ${took.map(Math.round).join(' and ')} ms`)
      for (const time of took) assert.ok(time < 5_000, `after ${time} ms`)
      assert.equal(await good.get('/live/one/0.ts'), 200)
      assert.equal(await bad.get('/live/one/0.ts'), 403)

      const log = await readViewerLog(nginx, playing.userAgent)
      assert.equal(new Set(log.map(({ session }) => session)).size, 1, 'one session all the time')
      assert.ok(log.some(({ reason }) => reason.startsWith('unavailable-')))
      assert.equal(log.at(-1)?.reason, 'remembered')
      const newcomers = await readViewerLog(nginx, bad.userAgent)
      assert.ok(
        newcomers.some(({ reason }) => reason === 'unavailable-breaker'),
        'the breaker was open',
      )
    })
  }
})
