import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Backend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { suiteScope } from '../support/scope.ts'
import { newViewer, type Site, startSite } from '../support/site.ts'

const FILES = {
  '/live/news/index.m3u8': '#EXTM3U\n',
  '/live/news/1.ts': 'G',
  '/live/prem/index.m3u8': '#EXTM3U\n',
  '/live/prem/1.ts': 'G',
  '/live/film.mp4': 'G',
  '/live/1.ts': 'G',
  '/vod/film/index.m3u8': '#EXTM3U\n',
  '/vod/film/1.ts': 'G',
  '/1.ts': 'G',
}

/**
 * Decides by the beginning of the path, as many scripts do: the news, all films, and files at the root are
 * free.
 */
const byPrefix: Backend['answer'] = ({ target, headers }, response) => {
  const isFree = /^\/(?:live\/+news\b|vod\/|[^/]*$)/.test(headers['X-Real-Path'] ?? '')
  response.writeHead(target.includes('token=FREE') && isFree ? 200 : 403).end()
}

/** A playlist that the backend allows, what is then asked for without a token, and its status. */
type Row = readonly [opener: string, ...asked: (readonly [target: string, status: number])[]]

const rows: readonly Row[] = [
  ['/live/news.m3u8', ['/live/film.mp4', 403], ['/live/1.ts', 403], ['/live/prem/index.m3u8', 403]],
  ['/live/news.mpd', ['/live/film.mp4', 403], ['/live/prem/1.ts', 403]],
  ['/live//news.m3u8', ['/live/film.mp4', 403], ['/live/1.ts', 403]],
  ['/live/%6eews.m3u8', ['/live/film.mp4', 403]],
  ['/vod/../live/news.m3u8', ['/live/film.mp4', 403]],
  ['/news.m3u8', ['/1.ts', 403], ['/live/1.ts', 403], ['/live/film.mp4', 403]],
  ['/live/news/index.m3u8', ['/live/news/1.ts', 200], ['/live/prem/1.ts', 403], ['/live/film.mp4', 403]],
  ['/vod/film/index.m3u8', ['/vod/film/1.ts', 200], ['/live/film.mp4', 403]],
  ['/vod/x.m3u8', ['/vod/film/1.ts', 200], ['/live/prem/1.ts', 403]],
]

for (const verdictCache of [false, true]) {
  describe(`a playlist that is not there, ${verdictCache ? 'with' : 'without'} the verdict cache:`, () => {
    const scope = suiteScope()
    let site: Site
    before(async () => {
      const environment = { CHANNEL_PATTERN: '^/live/([^/]+)/' }
      site = await startSite(scope, { environment, nginx: { files: FILES, verdictCache } })
      site.backend.answer = byPrefix
    })

    for (const [opener, ...asked] of rows) {
      test(`${opener} opens ${asked.map(([target, status]) => `${target} ${status}`).join(', ')}`, async () => {
        const headers = [`User-Agent: ${newViewer()}`]
        const get = async (target: string): Promise<number> =>
          (await request({ port: site.nginx.port, target, headers })).status
        // Twice, so that what nginx may repeat is in its cache.
        for (let turn = 0; turn < 2; turn++) {
          assert.notEqual(await get(`${opener}?token=FREE`), 403)
          for (const [target, status] of asked) assert.equal(await get(target), status, target)
        }
      })
    }
  })
}
