import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { status } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { type ClientRequest, request } from '../support/client.ts'
import { startCountedSite } from '../support/counted-site.ts'
import { startNginx } from '../support/nginx.ts'
import { forSuite, suiteScope } from '../support/scope.ts'
import { newViewer, questionsDuring } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { createViewer } from '../support/viewer.ts'

/** Milliseconds that 50 first requests at once may take: the wait for the lock, and a busy machine. */
const PATIENCE = 1_500

describe("nginx's verdict cache:", () => {
  const scope = suiteScope()
  const files = { ...channelFiles(['one', 'two'], 30), '/vod/a.mp4': 'A', '/vod/b.mp4': 'B' }
  const site = forSuite(async (scope) => {
    const site = await startCountedSite(scope, { nginx: { files } })
    site.backend.answer = hasToken('good')
    return site
  })
  /** The same gate without the cache. */
  const bare = forSuite((scope) => startNginx(scope, { gates: [site.gate.address], files }))
  const play = (viewer: string, target: string, more: Partial<ClientRequest> = {}) => {
    const headers = [`User-Agent: ${viewer}`, ...(more.headers ?? [])]
    return request({ port: site.nginx.port, target, ...more, headers })
  }
  const statusOf = async (viewer: string, target: string): Promise<number> =>
    (await play(viewer, target)).status

  test('a playing viewer costs no hop, whatever the segment', async () => {
    const viewer = createViewer(scope, site.nginx)
    const opener = '/live/one/index.m3u8?token=good'
    for (const target of [opener, '/live/one/0.ts']) assert.equal(await viewer.get(target), 200)
    const hops = await site.subrequestsDuring(async () => {
      for (let segment = 0; segment < 30; segment++) {
        assert.equal(await viewer.get(opener), 200)
        assert.equal(await viewer.get(`/live/one/${segment}.ts`), 200)
        assert.equal(await viewer.get(`/live/one/not-there-${segment}.ts`), 404)
      }
    })
    assert.equal(hops, 0)
  })

  test('a film is asked about each time: its neighbours have the same key', async () => {
    const viewer = createViewer(scope, site.nginx)
    const hops = await site.subrequestsDuring(async () => {
      for (let again = 0; again < 5; again++) {
        assert.equal(await viewer.get('/vod/a.mp4?token=good'), 200)
      }
    })
    assert.equal(hops, 5)
  })

  test('the log tells what the gate said, on a repeated verdict too', async () => {
    const viewer = newViewer()
    for (let again = 0; again < 3; again++) {
      assert.equal(await statusOf(viewer, '/live/one/index.m3u8?token=good'), 200)
    }
    const lines = (): string[] => site.nginx.accessLog().filter((line) => line.endsWith(`"${viewer}"`))
    await until('the log', () => lines().length === 3)
    const told = lines().map((line) => /verdict=\S+ source=\S+ reason=\S+ session=[\w-]{22}/.exec(line)?.[0])
    assert.match(told[0] ?? '', /^verdict=allow source=backend reason=backend-200/)
    assert.equal(new Set(told).size, 1, told.join('\n'))
  })

  describe('a deny', () => {
    test('of a playlist with a credential is repeated by nginx', async () => {
      const viewer = newViewer()
      const target = '/live/one/index.m3u8?token=bad'
      assert.equal(await statusOf(viewer, target), 403)
      const hops = await site.subrequestsDuring(async () => {
        for (let again = 0; again < 5; again++) assert.equal(await statusOf(viewer, target), 403)
      })
      assert.equal(hops, 0)
    })

    for (const target of ['/live/one/0.ts', '/live/one/index.m3u8', '/live/one/0.ts?token=good']) {
      test(`of ${target} counts no longer once the channel is opened`, async () => {
        const viewer = newViewer()
        site.backend.answer = status(403)
        for (let again = 0; again < 3; again++) assert.equal(await statusOf(viewer, target), 403)
        site.backend.answer = hasToken('good')
        assert.equal(await statusOf(viewer, '/live/one/index.m3u8?token=good'), 200)
        assert.equal(await statusOf(viewer, target), 200)
      })
    }

    test('of a film is not that of the film beside it', async () => {
      const viewer = newViewer()
      site.backend.answer = ({ headers }, response) => {
        response.writeHead(headers['X-Real-Path'] === '/vod/b.mp4' ? 200 : 403).end()
      }
      for (let again = 0; again < 3; again++) assert.equal(await statusOf(viewer, '/vod/a.mp4?token=x'), 403)
      assert.equal(await statusOf(viewer, '/vod/b.mp4?token=x'), 200)
      assert.equal(await statusOf(viewer, '/vod/a.mp4?token=x'), 403)
      site.backend.answer = hasToken('good')
    })
  })

  const forms: Readonly<Record<string, Partial<ClientRequest>>> = {
    Range: { headers: ['Range: bytes=0-2'] },
    'Range past the end': { headers: ['Range: bytes=100-'] },
    'If-None-Match: *': { headers: ['If-None-Match: *'] },
    'If-None-Match with a tag': { headers: ['If-None-Match: "x"'] },
    'If-Modified-Since': { headers: ['If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'] },
    'If-Match': { headers: ['If-Match: "x"'] },
    'Cache-Control: no-cache': { headers: ['Cache-Control: no-cache', 'Pragma: no-cache'] },
    HEAD: { method: 'HEAD' },
    POST: { method: 'POST', headers: ['Content-Length: 3'], body: 'abc' },
    OPTIONS: { method: 'OPTIONS' },
    'HTTP/1.0': { version: 'HTTP/1.0' },
  }
  for (const [what, form] of Object.entries(forms)) {
    test(`${what} gets through the cache what it gets without, first and repeated`, async () => {
      const viewers = { cached: newViewer(), without: newViewer() }
      for (const target of ['/live/one/index.m3u8?token=good', '/live/one/index.m3u8?token=bad']) {
        for (let again = 0; again < 2; again++) {
          const cached = await play(viewers.cached, target, form)
          const without = await play(viewers.without, target, { ...form, port: bare.port })
          assert.deepEqual([cached.status, cached.body], [without.status, without.body])
        }
        const hops = await site.subrequestsDuring(() => play(viewers.cached, target, form))
        assert.equal(hops, 0)
      }
    })
  }

  test('50 first requests at once are one question, and nobody waits for long', async (t) => {
    const viewer = newViewer()
    const asked = await questionsDuring(site.backend, async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => play(viewer, '/live/two/index.m3u8?token=good')),
      )
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
      const times = answers.map(({ took }) => took).sort((a, b) => a - b)
      const [median = 0, longest = 0] = [times[25], times.at(-1)]
      t.diagnostic(`50 at once: median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`)
      assert.ok(longest < PATIENCE, `${longest} ms`)
    })
    assert.equal(asked.length, 1)
  })

  test("the operator's own settings of proxy caches change nothing", async (t) => {
    const inherited = `proxy_cache_path cache keys_zone=own:1m; proxy_cache own; proxy_cache_key $uri; proxy_cache_valid any 10m;
      proxy_cache_use_stale http_403 updating; proxy_cache_background_update on; proxy_ignore_headers X-Accel-Expires;
      proxy_cache_lock off; proxy_cache_min_uses 3; proxy_cache_revalidate on; proxy_buffering off;`
    const nginx = {
      http: inherited,
      files: { '/a/i.m3u8': '', '/a/1.ts': '', '/vod/a.mp4': '', '/vod/b.mp4': '' },
    }
    const own = await startCountedSite(t, { nginx })
    const viewer = createViewer(t, own.nginx)
    const expect = async (target: string, code: number, hops: number): Promise<void> => {
      const counted = await own.subrequestsDuring(async () =>
        assert.equal(await viewer.get(target), code, target),
      )
      assert.equal(counted, hops, target)
    }
    own.backend.answer = hasToken('good')
    await expect('/a/1.ts', 403, 1)
    await expect('/a/i.m3u8?token=good', 200, 1)
    await expect('/a/1.ts', 200, 1)
    for (const target of ['/a/1.ts', '/a/i.m3u8?token=good']) await expect(target, 200, 0)
    for (let again = 0; again < 2; again++) await expect('/vod/a.mp4?token=good', 200, 1)
    await expect('/vod/b.mp4?token=bad', 403, 1)
    assert.equal(await createViewer(t, own.nginx).get('/a/1.ts'), 403)
  })

  test("without cache-http.conf nothing is repeated, also where the operator's own cache would be inherited", async (t) => {
    const nginx = await startNginx(t, {
      gates: [site.gate.address],
      http: `proxy_cache_path own keys_zone=own:1m; proxy_cache own; proxy_cache_key $uri; proxy_cache_valid any 10m;
        proxy_ignore_headers X-Accel-Expires Cache-Control;`,
    })
    const viewer = createViewer(t, nginx)
    const hops = await site.subrequestsDuring(async () => {
      for (let again = 0; again < 3; again++) assert.equal(await viewer.get('/index.m3u8?token=good'), 200)
    })
    assert.equal(hops, 3)
  })

  test('a token too long for a cache key is judged all the same', async () => {
    const viewer = newViewer()
    const target = `/live/one/index.m3u8?x=${'x'.repeat(6_000)}&token=`
    for (let again = 0; again < 2; again++) {
      assert.equal(await statusOf(viewer, `${target}good`), 200)
      assert.equal(await statusOf(viewer, `${target}bad`), 403)
    }
  })
})
