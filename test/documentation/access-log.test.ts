import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { request } from '../support/client.ts'
import { type Block, readPage } from '../support/documentation/pages.ts'
import { newViewer, type Site, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const { blocks } = readPage('docs/access-log.md')

function textOf(what: string, find: (block: Block) => boolean): string {
  const block = blocks.find(find)
  assert.ok(block !== undefined, what)
  return block.text
}

/** A site that also writes `second.log`, as `server` says; what it holds. */
async function start(t: TestContext, http: string, server: string) {
  const files = { '/live/one/index.m3u8': '#EXTM3U\n', '/live/one/1.ts': 'x' }
  const site = await startSite(t, {
    nginx: { files, http, server: `${server} location /live/ { LOCATION }` },
  })
  site.backend.answer = hasToken('good')
  const file = join(site.nginx.root, '..', 'second.log')
  return {
    site,
    lines: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : [],
  }
}

function get({ nginx }: Site, target: string, userAgent: string): Promise<unknown> {
  return request({ port: nginx.port, target, headers: [`User-Agent: ${userAgent}`] })
}

describe('docs/access-log.md', () => {
  test('its JSON lines are JSON, whatever the client sends', async (t) => {
    const format = textOf('the JSON format', ({ text }) => text.startsWith('log_format alta_auth_json'))
    const { site, lines } = await start(t, format, 'access_log second.log alta_auth_json;')
    const agents = ['VLC', 'a"b\\c', '{"verdict":"allow"}', '\xff\xfe']
    for (const userAgent of agents) await get(site, '/live/%22%5c%e9%0a.m3u8?token=bad', userAgent)
    await until('the lines', () => lines().length === agents.length)
    const read = lines().map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      read.slice(0, 3).map(({ userAgent }) => userAgent),
      agents.slice(0, 3),
    )
    for (const { verdict, status } of read) assert.deepEqual([verdict, status], ['deny', 403])
  })

  test('what repeats a known verdict is left out, and nothing else', async (t) => {
    const map = textOf('the map', ({ text }) => text.startsWith('map $alta_auth_reason'))
    const server = textOf('the line', ({ text }) => text.includes('if=$alta_auth_is_news'))
    const { site, lines } = await start(
      t,
      map,
      server.replace('/var/log/nginx/live.access.log', 'second.log'),
    )
    const userAgent = newViewer()
    for (let n = 0; n < 2; n++) await get(site, '/live/one/index.m3u8?token=good', userAgent)
    for (let n = 0; n < 3; n++) await get(site, '/live/one/1.ts', userAgent)
    for (let n = 0; n < 2; n++) await get(site, '/live/one/index.m3u8?token=bad', userAgent)
    await until('the lines', () => lines().length >= 2)
    await site.nginx.child.stop('SIGQUIT')
    assert.deepEqual(
      lines().map((line) => / reason=(\S+) /.exec(line)?.[1]),
      ['backend-200', 'backend-403'],
    )
  })
})
