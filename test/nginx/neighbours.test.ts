import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { channelFiles } from '../support/channel-files.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { newViewer, type Site, startSite } from '../support/site.ts'
import { createViewer } from '../support/viewer.ts'

const files = channelFiles(['one', 'two'], 3)
const PLAYLIST = '/live/one/index.m3u8'
const SEGMENT = '/live/one/1.ts'

/** Allows every token that is not revoked. */
async function start(
  t: Attempt,
  verdictCache: boolean,
  idle = '3s',
): Promise<{ site: Site; revoked: Set<string> }> {
  const revoked = new Set<string>()
  const environment = { SESSION_IDLE: idle, ALLOW_TTL: '2s', CHANNEL_PATTERN: '^/live/([^/]+)/' }
  const site = await startSite(t, { environment, nginx: { files, verdictCache } })
  site.backend.answer = ({ target }, response) => {
    const token = new URLSearchParams(target.split('?')[1] ?? '').get('token')
    response.writeHead(token === null || revoked.has(token) ? 403 : 200).end()
  }
  return { site, revoked }
}

/** Milliseconds; longer than SESSION_IDLE. */
const WHILE = 4_000
const EVERY = 200

for (const verdictCache of [false, true]) {
  patientTest(
    `through nginx, ${verdictCache ? 'with' : 'without'} its cache, a neighbour whose token ends cuts nobody who pays`,
    async (t) => {
      const { site, revoked } = await start(t, verdictCache)
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
}

patientTest('through nginx, a neighbour who opens 1,100 sessions evicts nobody who plays', async (t) => {
  const { site } = await start(t, false, '1m')
  const viewer = createViewer(t, site.nginx, { userAgent: newViewer() })
  assert.equal(await viewer.get(`${PLAYLIST}?token=payer`), 200)
  for (let n = 0; n < 1_100; n++) {
    assert.equal(await viewer.get(`/live/two/index.m3u8?token=${n}`), 200)
    if (n % 50 === 0) assert.equal(await viewer.get(SEGMENT), 200, `after ${n}`)
  }
  assert.equal(await viewer.get(SEGMENT), 200)
})
