import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { patientTest } from '../support/patient-test.ts'
import { newViewer, startSite } from '../support/site.ts'
import { createViewer } from '../support/viewer.ts'

const PLAYLIST = '/live/one/index.m3u8'
const SEGMENT = '/live/one/1.ts'
/** Milliseconds; longer than SESSION_IDLE. */
const WHILE = 2_500
const EVERY = 200

/** In process, and without the cache: test/session/neighbours.test.ts. */
patientTest(
  'through nginx and its verdict cache, a neighbour whose token ends cuts nobody who pays',
  async (t) => {
    const revoked = new Set<string>()
    const site = await startSite(t, {
      environment: { SESSION_IDLE: '2s', ALLOW_TTL: '1s', CHANNEL_PATTERN: '^/live/([^/]+)/' },
      nginx: { files: channelFiles(['one'], 3), verdictCache: true },
    })
    site.backend.answer = ({ target }, response) => {
      const token = new URLSearchParams(target.split('?')[1] ?? '').get('token')
      response.writeHead(token === null || revoked.has(token) ? 403 : 200).end()
    }
    const viewer = createViewer(t, site.nginx, { userAgent: newViewer() })
    const play = async (): Promise<void> => {
      for (let passed = 0; passed < WHILE; passed += EVERY) {
        assert.equal(await viewer.get(SEGMENT), 200)
        await delay(EVERY)
      }
    }
    assert.equal(await viewer.get(`${PLAYLIST}?token=payer`), 200)
    assert.equal(await viewer.get(`${PLAYLIST}?token=neighbour`), 200)
    await play()
    revoked.add('neighbour')
    await play()
    revoked.add('payer')
    await delay(WHILE)
    assert.equal(await viewer.get(SEGMENT), 403)
  },
)
