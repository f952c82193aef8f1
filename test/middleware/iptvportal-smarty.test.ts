import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { startSite } from '../support/site.ts'
import { createViewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'

interface Portal {
  readonly middleware: string
  /** What follows the host in BACKEND_URL, and what is asked. */
  readonly urls: readonly (readonly [written: string, asked: string])[]
}

const arescrypt = '/auth/arescrypt/'
const tokenCheck = '/tvmiddleware/api/streamservice/token/check/'
const portals: readonly Portal[] = [
  {
    middleware: 'iptvportal',
    urls: [
      ['', arescrypt],
      ['/', arescrypt],
      [arescrypt, arescrypt],
      ['/own/auth/', '/own/auth/'],
    ],
  },
  {
    middleware: 'smarty',
    urls: [
      ['', tokenCheck],
      ['/', tokenCheck],
      [tokenCheck, tokenCheck],
      ['/own/check?key=1', '/own/check'],
    ],
  },
]

const PLAYLIST = '/live/one/index.m3u8?token=once&id=7'

/** A portal that allows one token once: a re-check would end the viewer. */
function oneTimeToken(path: string): Backend['answer'] {
  let used = false
  return ({ target }, response) => {
    const [asked, query = ''] = target.split('?')
    const good = asked === path && !used && query.startsWith('token=once&id=7')
    used ||= good
    response.writeHead(good ? 200 : 403, { 'X-Session-Name': 'subscriber 1001', 'X-AuthDuration': '1' }).end()
  }
}

for (const { middleware, urls } of portals) {
  describe(`MIDDLEWARE=${middleware}`, () => {
    test('through nginx: a viewer plays on with a token that is good only once; X-Session-Name is the user', async (t) => {
      const { backend, nginx } = await startSite(t, {
        backendPath: '',
        environment: { MIDDLEWARE: middleware },
        nginx: { files: channelFiles(['one'], 10) },
      })
      backend.answer = oneTimeToken(urls[0]?.[1] ?? '')
      const viewer = createViewer(t, nginx)
      // Longer than X-AuthDuration.
      for (let n = 0; n < 10; n++) {
        assert.equal(await viewer.get(PLAYLIST), 200)
        assert.equal(await viewer.get(`/live/one/${n}.ts`), 200)
        await delay(150)
      }
      assert.equal(backend.asked.length, 1)
      await readViewerLog(nginx, viewer.userAgent)
      const lines = nginx.accessLog().filter((line) => line.endsWith(`"${viewer.userAgent}"`))
      assert.equal(lines.length, 20)
      for (const line of lines) assert.match(line, / user=subscriber_1001 request=[0-9a-f]{32} "/)

      const other = createViewer(t, nginx)
      assert.equal(await other.get('/live/one/index.m3u8?token=wrong&id=7'), 403)
      assert.equal(await other.get('/live/one/0.ts'), 403)
    })
  })
}
