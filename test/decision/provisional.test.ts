import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { type Site, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

const PLAYLIST = '/live/one/index.m3u8?token=good'
/** A segment each 200 ms. */
const STEP = 200

/** Takes the question and hangs up. */
const away: Backend['answer'] = (_asked, _response, request) => void request.socket.destroy()

async function start(t: TestContext, environment: Readonly<Record<string, string>> = {}): Promise<Site> {
  return startSite(t, {
    environment: { DEFAULT_ACTION: 'allow', ...environment },
    nginx: { files: channelFiles(['one'], 1) },
  })
}

/** Plays segments without a token for so many milliseconds. Returns the time until one was refused. */
async function play(viewer: Viewer, duration: number): Promise<number | undefined> {
  const began = performance.now()
  while (performance.now() - began < duration) {
    if ((await viewer.get('/live/one/0.ts')) !== 200) return performance.now() - began
    await delay(STEP)
  }
  return undefined
}

/** A new viewer who plays for this many milliseconds while the backend is away. */
async function playWithout(
  t: TestContext,
  site: Site,
  duration: number,
  playlist = PLAYLIST,
): Promise<Viewer> {
  site.backend.answer = away
  const viewer = createViewer(t, site.nginx)
  assert.equal(await viewer.get(playlist), 200)
  assert.equal(await play(viewer, duration), undefined)
  return viewer
}

/** `source reason` of a viewer's requests, and their sessions. */
async function told(site: Site, viewer: Viewer): Promise<{ told: string[]; sessions: string[] }> {
  const log = await readViewerLog(site.nginx, viewer.userAgent)
  const lines = site.nginx.accessLog().filter((line) => line.endsWith(`"${viewer.userAgent}"`))
  return {
    told: lines.map((line) => /source=(\S+) reason=(\S+)/.exec(line)?.slice(1).join(' ') ?? ''),
    sessions: [...new Set(log.map(({ session }) => session))],
  }
}

describe('a viewer let in by DEFAULT_ACTION=allow, through nginx', { concurrency: true }, () => {
  test('plays in the outage, and the backend is asked once in a DEFAULT_TTL', async (t) => {
    const site = await start(t)
    const viewer = await playWithout(t, site, 6_000)
    const asked = site.backend.asked.length
    assert.ok(asked >= 3 && asked <= 5, `${asked} questions in 6 s`)
    for (const { target } of site.backend.asked) assert.equal(target, '/auth?token=good')
    const { told: all, sessions } = await told(site, viewer)
    for (const one of all) assert.equal(one, 'default unavailable-closed')
    assert.deepEqual(sessions, [site.backend.asked[0]?.headers['X-Session-Id']])
  })

  test('is out within 5 s when the backend is back and denies', async (t) => {
    const site = await start(t)
    const viewer = await playWithout(t, site, 1_000, '/live/one/index.m3u8?token=bad')
    site.backend.answer = hasToken('good')
    const out = await play(viewer, 10_000)
    t.diagnostic(`out after ${Math.round(out ?? Number.NaN)} ms`)
    assert.ok(out !== undefined && out < 5_000, `out after ${out} ms`)
    for (const target of ['/live/one/0.ts', '/live/one/index.m3u8?token=bad'])
      assert.equal(await viewer.get(target), 403)
  })

  test('has a full session with the same id when the backend is back and allows', async (t) => {
    const site = await start(t)
    const viewer = await playWithout(t, site, 1_000)
    site.backend.answer = hasToken('good')
    assert.equal(await play(viewer, 5_000), undefined)
    const asked = site.backend.asked.length
    assert.equal(await play(viewer, 3_000), undefined)
    assert.equal(site.backend.asked.length, asked, 'ALLOW_TTL counts again')
    assert.equal(await viewer.get(PLAYLIST), 200)

    const { told: all, sessions } = await told(site, viewer)
    assert.equal(all[0], 'default unavailable-closed')
    assert.deepEqual(all.slice(-2), ['session riding', 'session remembered'])
    assert.equal(sessions.length, 1)
    assert.deepEqual(
      [...new Set(site.backend.asked.map(({ headers }) => headers['X-Session-Id']))],
      sessions,
      'the backend was told the same',
    )
  })

  test('is known as allowed from then on: the next outage finds a full session', async (t) => {
    const site = await start(t, { ALLOW_TTL: '1s', DEFAULT_TTL: '300ms' })
    const viewer = await playWithout(t, site, 1_000)
    site.backend.answer = hasToken('good')
    assert.equal(await play(viewer, 5_000), undefined)
    site.backend.answer = away
    assert.equal(await play(viewer, 3_000), undefined)
    const { told: all, sessions } = await told(site, viewer)
    assert.equal(all.at(-1), 'stale unavailable-closed')
    assert.equal(sessions.length, 1)
  })

  test('takes the place of no allowed viewer, however many come', async (t) => {
    const site = await start(t, { MAX_SESSIONS: '5' })
    const allowed = Array.from({ length: 5 }, () => createViewer(t, site.nginx))
    for (const viewer of allowed) assert.equal(await viewer.get(PLAYLIST), 200)
    site.backend.answer = away
    for (let n = 0; n < 300; n++) {
      const stranger = createViewer(t, site.nginx)
      assert.equal(await stranger.get(`/live/one/index.m3u8?token=bad${n}`), 200)
    }
    site.backend.answer = hasToken('good')
    const before = site.backend.asked.length
    for (const viewer of allowed) assert.equal(await viewer.get('/live/one/0.ts'), 200)
    assert.equal(site.backend.asked.length, before, 'each rides on the session it had')
    for (const viewer of allowed) {
      const { told: all, sessions } = await told(site, viewer)
      assert.equal(all.at(-1), 'session riding')
      assert.equal(sessions.length, 1)
    }
  })
})
