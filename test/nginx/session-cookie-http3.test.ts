import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { curl } from '../support/curl.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { readViewerLog } from '../support/viewer-log.ts'

/** Version, address of the viewer. A dual-stack viewer with HTTP/3 may mix them as it likes. */
const ways = [
  ['2', '127.0.0.1'],
  ['3', '127.0.2.2'],
  ['3', '::1'],
  ['1.1', '127.0.2.3'],
  ['2', '::1'],
  ['3', '127.0.2.4'],
] as const

for (const mode of ['on', 'strict']) {
  describe(`SESSION_COOKIE=${mode} over HTTP/2 and HTTP/3`, () => {
    const site = forSuite(async (scope) => {
      const started = await startSite(scope, {
        environment: { SESSION_COOKIE: mode, ALLOW_TTL: 'session' },
        nginx: {
          http3: true,
          files: { '/live/index.m3u8': '#EXTM3U\n', '/live/1.ts': 'G' },
          server: 'location / { LOCATION COOKIE } location /open/ { }',
        },
      })
      const tokens = createOneTimeTokens()
      started.backend.answer = tokens.answer
      return { ...started, tokens }
    })

    test('a viewer changes version and address at once', async (t) => {
      const viewer = newViewer()
      const jar = join(makeTemporaryFolder(t), 'jar')
      const ask = async ([version, address]: (typeof ways)[number], target: string): Promise<number> => {
        const url = `https://localhost:${site.nginx.tlsPort}${target}`
        const from = [address.includes(':') ? '-6' : '-4', '--interface', address]
        const answer = await curl(version, url, [...from, '-A', viewer, '-b', jar, '-c', jar])
        assert.equal(answer.version, version)
        return answer.status
      }
      const opening = `/live/index.m3u8?token=${site.tokens.issue('somebody')}`
      assert.equal(await ask(ways[0], opening), 200)
      for (const way of ways)
        for (const target of ['/live/1.ts', opening, '/live/index.m3u8'])
          assert.equal(await ask(way, target), 200, `${target} over ${way.join(' from ')}`)

      assert.equal(site.backend.asked.length, 1)
      const log = await readViewerLog(site.nginx, viewer)
      assert.deepEqual(new Set(log.map(({ address }) => address)), new Set(ways.map(([, from]) => from)))
    })
  })
}
