import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { boxFiles } from '../support/boxes.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { startPortal } from '../support/portal.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

/** SESSION_IDLE and a pause beyond it, in milliseconds. Sweeps are further apart than that. */
const IDLE = 2_000
const PAUSE = 3_000
/** A response of so many bytes at this rate lasts longer than the pause. */
const LONG = { '/mpegts/long': 'G'.repeat(80_000) }
const server = `
  location / { LOCATION }
  location /mpegts/ { LOCATION limit_rate 20k; }
  location /open/ { }`

describe('a pause beyond SESSION_IDLE, with dead links', { concurrency: true }, () => {
  const site = forSuite(async (scope) => {
    const portal = await startPortal(scope)
    const start = async (more: Readonly<Record<string, string>> = {}) => {
      const gate = await startGate(scope, {
        BACKEND_URL: portal.backend.url,
        MIDDLEWARE: 'ministra',
        STATE_URL: `file:${makeTemporaryFolder(scope)}/state`,
        SESSION_IDLE: `${IDLE}ms`,
        // A busy machine is no store that is late.
        STATE_TIMEOUT: '1s',
        ...more,
      })
      return { gates: [gate.address], files: { ...boxFiles, ...LONG }, server }
    }
    const kept = await start()
    return {
      portal,
      plain: await startNginx(scope, kept),
      cached: await startNginx(scope, { ...kept, verdictCache: true }),
      forgetful: await startNginx(scope, await start({ SESSION_RESUME: 'off' })),
    }
  })

  /** What the portal was asked about this viewer. */
  const questionsOf = ({ userAgent }: Viewer): number =>
    site.portal.backend.asked.filter(({ headers }) => headers['X-Real-Ua'] === userAgent).length

  const reasonsOf = async (nginx: Nginx, { userAgent }: Viewer): Promise<string[]> =>
    (await readViewerLog(nginx, userAgent)).map(({ reason }) => reason)

  const sessionsOf = async (nginx: Nginx, { userAgent }: Viewer): Promise<number> =>
    new Set((await readViewerLog(nginx, userAgent)).map(({ session }) => session)).size

  const playlist = (): string => `/live/one/index.m3u8?token=${site.portal.links.issue('42')}`
  const kill = (own: string): void => site.portal.killLinks(own.split('?')[1])

  for (const which of ['plain', 'cached'] as const)
    for (const first of ['playlist', 'segment'] as const)
      test(`nginx ${which === 'cached' ? 'with its verdict cache' : 'alone'}: the ${first} goes on with the session`, async (t) => {
        const nginx = site[which]
        const viewer = createViewer(t, nginx)
        const own = playlist()
        assert.deepEqual([await viewer.get(own), await viewer.get('/live/one/1.ts')], [200, 200])
        await delay(PAUSE)
        kill(own)
        const requests = first === 'playlist' ? [own, '/live/one/1.ts'] : ['/live/one/1.ts', own]
        for (const target of requests) assert.equal(await viewer.get(target), 200, target)
        assert.equal((await reasonsOf(nginx, viewer))[2], 'resumed')
        assert.equal(await sessionsOf(nginx, viewer), 1)
        assert.equal(questionsOf(viewer), 1)
      })

  test('a response that lasts longer than SESSION_IDLE is such a pause: its own URL connects again', async (t) => {
    const viewer = createViewer(t, site.plain)
    const own = `/mpegts/long?token=${site.portal.links.issue('43')}`
    const began = performance.now()
    assert.equal(await viewer.get(own), 200)
    assert.ok(performance.now() - began > IDLE, 'the response was too short')
    kill(own)
    assert.equal(await viewer.get(own), 200)
    assert.deepEqual(await reasonsOf(site.plain, viewer), ['backend-200', 'resumed'])
    assert.equal(questionsOf(viewer), 1)
    assert.equal(await viewer.get('/mpegts/long?token=another'), 403)
  })

  test('SESSION_RESUME=off: the pause ends it', async (t) => {
    const viewer = createViewer(t, site.forgetful)
    const own = playlist()
    assert.equal(await viewer.get(own), 200)
    await delay(PAUSE)
    kill(own)
    assert.deepEqual([await viewer.get('/live/one/1.ts'), await viewer.get(own)], [403, 403])
  })

  test('another viewer at the same address is not let in by it', async (t) => {
    const viewer = createViewer(t, site.plain)
    const own = playlist()
    assert.equal(await viewer.get(own), 200)
    await delay(PAUSE)
    kill(own)
    const other = createViewer(t, site.plain)
    assert.deepEqual([await other.get('/live/one/1.ts'), await other.get(own)], [403, 403])
    assert.equal(await viewer.get(own), 200)
  })
})
