import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBackend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { createCookiePlayer } from '../support/cookie-player.ts'
import { startInheritedGate } from '../support/inherited-gate.ts'
import { startNginx } from '../support/nginx.ts'
import { restart } from '../support/play-through-restarts.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'

/** Written behind within 100 ms, and a busy machine may be late; milliseconds. */
const WRITTEN = 1_000

describe('a session cookie outlives the gate', { concurrency: true }, () => {
  for (const mode of ['on', 'strict'])
    test(`SESSION_COOKIE=${mode}: after a crash its viewer goes on from another address`, async (t) => {
      const backend = await startBackend(t)
      backend.answer = hasToken('good')
      const gate = await startInheritedGate(t, {
        BACKEND_URL: backend.url,
        SESSION_COOKIE: mode,
        STATE_URL: `file:${makeTemporaryFolder(t)}/state`,
        STATE_TIMEOUT: '1s',
      })
      const nginx = await startNginx(t, {
        files: channelFiles(['one'], 3),
        gates: [`127.0.0.1:${gate.port}`],
        server: 'location / { LOCATION COOKIE }',
      })
      const player = createCookiePlayer(t, nginx, { from: '127.0.2.1' })
      assert.equal(await player.get('/live/one/index.m3u8?token=good'), 200)
      backend.answer = (_asked, response) => void response.writeHead(403).end()
      await delay(WRITTEN)
      await restart(gate, 'SIGKILL')
      const { userAgent } = player
      const neighbour = createCookiePlayer(t, nginx, { userAgent, from: '127.0.2.1' })
      if (mode === 'strict') assert.equal(await neighbour.get('/live/one/0.ts'), 403)
      player.from = '127.0.2.9'
      for (const segment of [0, 1, 2]) assert.equal(await player.get(`/live/one/${segment}.ts`), 200)
      await restart(gate, 'SIGTERM')
      player.from = '127.0.2.1'
      assert.equal(await player.get('/live/one/0.ts'), 200)
      if (mode === 'on') assert.equal(await neighbour.get('/live/one/0.ts'), 200)
    })
})
