import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { findFreePort } from '../support/free-port.ts'
import { startMain } from '../support/main-process.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer, type Viewer } from '../support/viewer.ts'

/** Milliseconds without any gate. */
const ABSENCE = 2_000
/** Milliseconds between two requests of a playing viewer. */
const EVERY = 40
const VIEWERS = 10
const opener = '/live/one/index.m3u8?token=good'

interface Installation {
  readonly backend: Backend
  readonly nginx: Nginx
  /** Ends the gate without warning. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** nginx with its verdict cache, on-failure-deny.conf, and a gate in a process of its own. */
async function install(t: TestContext, environment: Environment = {}): Promise<Installation> {
  const backend = await startBackend(t)
  backend.answer = hasToken('good')
  const port = await findFreePort()
  const launch = () =>
    startMain(t, {
      BACKEND_URL: backend.url,
      ADMIN_LISTEN: 'off',
      LISTEN: `127.0.0.1:${port}`,
      ...environment,
    })
  let gate = launch()
  await gate.listening()
  const nginx = await startNginx(t, {
    gates: [`127.0.0.1:${port}`],
    verdictCache: true,
    files: channelFiles(['one'], 10),
  })
  return {
    backend,
    nginx,
    async kill() {
      gate.signal('SIGKILL')
      await gate.exited
    },
    async start() {
      gate = launch()
      await gate.listening()
    },
  }
}

/** Viewers who load the playlist and a segment in turn, until they are stopped. */
function startPlaying(t: TestContext, nginx: Nginx) {
  let playing = true
  const failures: string[] = []
  let requests = 0
  const play = async (viewer: Viewer): Promise<void> => {
    for (let round = 0; playing; round++) {
      for (const target of [opener, `/live/one/${round % 10}.ts`]) {
        const code = await viewer.get(target)
        requests++
        if (code !== 200) failures.push(`${target} ${code}`)
        await delay(EVERY)
      }
    }
  }
  const done = Promise.all(Array.from({ length: VIEWERS }, () => play(createViewer(t, nginx))))
  return {
    failures,
    requests: () => requests,
    async stop() {
      playing = false
      await done
    },
  }
}

describe("with nginx's verdict cache, on-failure-deny:", { concurrency: true }, () => {
  test(`a restart with ${ABSENCE} ms without a gate disturbs nobody who plays, and lets nobody else in`, async (t) => {
    const { nginx, kill, start } = await install(t, { NGINX_TTL: '1m' })
    const playing = startPlaying(t, nginx)
    await until('everybody to play', () => playing.requests() > VIEWERS * 4)
    await kill()
    const stranger = createViewer(t, nginx)
    const began = performance.now()
    while (performance.now() - began < ABSENCE) {
      for (const target of [opener, '/live/one/1.ts']) assert.equal(await stranger.get(target), 403)
      await delay(EVERY)
    }
    await start()
    assert.equal(await stranger.get(opener), 200)
    const enough = playing.requests() + VIEWERS * 10
    await until('everybody to go on', () => playing.requests() > enough)
    await playing.stop()
    t.diagnostic(`${playing.requests()} requests of ${VIEWERS} viewers`)
    assert.deepEqual(playing.failures, [])
  })

  test('verdicts whose time ends while there is no gate hold until there is one', async (t) => {
    const { backend, nginx, kill, start } = await install(t, { NGINX_TTL: '2s' })
    const viewers = Array.from({ length: VIEWERS }, () => createViewer(t, nginx))
    const all = async (target: string): Promise<number[]> => [
      ...new Set(await Promise.all(viewers.map((viewer) => viewer.get(target)))),
    ]
    for (const target of [opener, '/live/one/0.ts']) assert.deepEqual(await all(target), [200])
    await kill()
    // The time and the rest of a second.
    await delay(3_100)
    for (let round = 0; round < 5; round++) {
      for (const target of [opener, `/live/one/${round}.ts`]) assert.deepEqual(await all(target), [200])
    }
    backend.asked.length = 0
    await start()
    for (const target of [opener, '/live/one/9.ts']) assert.deepEqual(await all(target), [200])
    assert.equal(backend.asked.length, VIEWERS, 'the new gate asks once about each of them')
  })

  for (const [what, isGateUp] of [
    ['while the gate is there', true],
    ['while it is not', false],
  ] as const) {
    test(`who was refused last does not get in by an older verdict ${what}`, async (t) => {
      const { backend, nginx, kill } = await install(t, { ALLOW_TTL: '3s' })
      const viewer = createViewer(t, nginx)
      for (const target of [opener, '/live/one/0.ts']) assert.equal(await viewer.get(target), 200)
      backend.answer = status(403)
      for (const target of ['/live/one/0.ts', opener]) {
        await until('the end of the session', async () => (await viewer.get(target)) === 403)
      }
      if (!isGateUp) await kill()
      for (let again = 0; again < 5; again++) {
        for (const target of [opener, '/live/one/0.ts', '/live/one/1.ts']) {
          assert.equal(await viewer.get(target), 403, target)
        }
      }
    })
  }
})
