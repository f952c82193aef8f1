import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const FILES = {
  '/live/a/index.m3u8': '#EXTM3U\n',
  '/live/a/INDEX.M3U8': '#EXTM3U\n',
  '/live/a/1.ts': 'G',
  '/live/a/x.m3u8/index.html': 'G',
  '/live/a/x.m3u8/1.ts': 'G',
  '/live/a/film.ism/Manifest': '<xml/>',
  '/live/a/film.ism/Fragments(video=0)': 'G',
  '/live/b/index.m3u8': '#EXTM3U\n',
  '/live/b/1.ts': 'G',
  '/index.m3u8': '#EXTM3U\n',
  '/1.ts': 'G',
}
const OPENER = '/live/a/index.m3u8?token=good'

/**
 * What one viewer asks for, one after the other, each with its status. `asked` = how often the backend is
 * asked in all.
 */
type Row = readonly [asked: number, ...requests: (readonly [target: string, status: number])[]]

const openers: readonly Row[] = [
  [1, [OPENER, 200], ['/live/a/1.ts', 200]],
  [1, ['/live/a/INDEX.M3U8?token=good', 200], ['/live/a/1.ts', 200]],
  [1, ['/live/a/index%2em3u8?token=good', 200], ['/live/a/1.ts', 200]],
  [1, ['/live/a/index.m3u%38?token=good', 200], ['/live/a/1.ts', 200]],
  [1, ['/live%2fa%2findex.m3u8?token=good', 200], ['/live/a/1.ts', 200], ['/live/a%2f1.ts', 200]],
  [2, ['/live/b/../a/index.m3u8?token=good', 200], ['/live/a/1.ts', 200], ['/live/b/1.ts', 403]],
  // A playlist's name as a directory: what is behind it counts.
  [3, ['/live/a/x.m3u8/?token=good', 200], ['/live/a/1.ts', 403]],
  [2, ['/live/a/x.m3u8/1.ts?token=good', 200], ['/live/a/x.m3u8/index.html', 403]],
  [
    2,
    ['/live/a/film.ism/Manifest?token=good', 200],
    ['/live/a/film.ism/Fragments(video=0)', 200],
    ['/live/a/1.ts', 403],
  ],
  // It looks like a token, but is none.
  [1, ['/live/a/index.m3u8%3ftoken=good', 403]],
  [1, ['/live/a/index.m3u8#?token=good', 403]],
  [1, ['/live/a/index.m3u8?#token=good', 403]],
  [1, ['/live/a/index.m3u8', 403]],
  [1, ['/live/a/index.m3u8?', 403]],
  [2, ['/index.m3u8?token=good', 200], ['/1.ts', 200], ['/live/a/1.ts', 403]],
]

describe('riding through nginx', () => {
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, {
      nginx: { files: FILES, server: 'location / { LOCATION index index.html; }' },
    })
    site.backend.answer = hasToken('good')
    return site
  })

  const get = async (viewer: string, target: string, host?: string): Promise<number> => {
    const hostLine = host === undefined ? {} : { host: `Host: ${host}\r\nConnection: close` }
    const headers = [`User-Agent: ${viewer}`]
    return (await request({ port: site.nginx.port, target, headers, ...hostLine })).status
  }

  for (const [expected, ...requests] of openers) {
    test(requests.map(([target, status]) => `${target} ${status}`).join(', '), async () => {
      const viewer = newViewer()
      const asked = await questionsDuring(site.backend, async () => {
        for (const [target, status] of requests) assert.equal(await get(viewer, target), status, target)
      })
      assert.equal(asked.length, expected)
    })
  }

  test('the host has no case and no closing dot, but a port that was written is part of the origin', async () => {
    const viewer = newViewer()
    const status = (target: string, host: string): Promise<number> => get(viewer, target, host)
    assert.equal(await status(OPENER, 'LIVE.Example.com'), 200)
    const asked = await questionsDuring(site.backend, async () => {
      for (const host of ['live.example.com', 'LIVE.EXAMPLE.COM', 'live.example.com.'])
        assert.equal(await status('/live/a/1.ts', host), 200, host)
    })
    assert.deepEqual(asked, [])
    for (const host of [
      'live.example.com:80',
      'live.example.org',
      'example.com',
      'live.example.com:8080',
      'LIVE.EXAMPLE.COM:80',
    ])
      assert.equal(await status('/live/a/1.ts', host), 403, host)
  })
})

describe('with names of its own', () => {
  test('TOKEN_PARAM says what a credential is, IGNORED_PARAMS what players vary', async (t) => {
    const { nginx, backend } = await startSite(t, {
      environment: { TOKEN_PARAM: 'sid auth', IGNORED_PARAMS: 'utm_*, t' },
      nginx: { files: FILES },
    })
    backend.answer = ({ target }, response) =>
      void response.writeHead(target.includes('sid=good') ? 200 : 403).end()
    const headers = [`User-Agent: ${newViewer()}`]
    const statuses: Readonly<Record<string, readonly [status: number, asked: number]>> = {
      '/live/a/index.m3u8?sid=good': [200, 1],
      '/live/a/index.m3u8?utm_x=1&sid=good&t=5': [200, 0],
      '/live/a/1.ts': [200, 0],
      '/live/a/1.ts?token=bad': [200, 0],
      '/live/a/1.ts?t=9&sid=good': [200, 0],
      '/live/a/1.ts?sid=bad': [403, 1],
      '/live/a/1.ts?auth=': [403, 1],
      '/live/a/1.ts?s%69d[]=x': [403, 1],
      '/live/a/index.m3u8?sid=good&_HLS_msn=5': [200, 1],
    }
    for (const [target, [status, count]] of Object.entries(statuses)) {
      const asked = await questionsDuring(backend, async () =>
        assert.equal((await request({ port: nginx.port, target, headers })).status, status, target),
      )
      assert.equal(asked.length, count, target)
    }
  })
})
