import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { channelFiles } from '../support/channel-files.ts'
import { request } from '../support/client.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { newViewer, questionsDuring, type Site, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const files = channelFiles(['one'], 1)
const PLAYLIST = '/live/one/index.m3u8'
const SEGMENT = '/live/one/0.ts'
/** As docs/nginx.md shows it. */
const edges = String.raw`
  map $host $alta_auth_site {
    "~^edge\d+\.tv\.example\.com$"  tv;
  }`

interface Viewing {
  readonly site: Site
  readonly viewer: string
  get(host: string, target: string, headers?: readonly string[], tls?: boolean): Promise<number>
}

/** A new viewer, who opens the channel at the first edge. */
async function open(site: Site): Promise<Viewing> {
  const viewer = newViewer()
  const get: Viewing['get'] = async (host, target, headers = [], tls = false) => {
    const port = tls ? site.nginx.tlsPort : site.nginx.port
    const sent = [`User-Agent: ${viewer}`, ...headers]
    return (await request({ port, tls, target, host: `Host: ${host}`, headers: sent })).status
  }
  assert.equal(await get('edge1.tv.example.com', `${PLAYLIST}?token=good`), 200)
  assert.equal(await get('edge1.tv.example.com', SEGMENT), 200)
  return { site, viewer, get }
}

async function start(scope: Scope, http: string, server?: string, verdictCache = false): Promise<Site> {
  const environment = { ALLOW_TTL: '1s', CHANNEL_PATTERN: '^/live/([^/]+)/' }
  const nginx = { files, http, verdictCache, ...(server === undefined ? {} : { server }) }
  const site = await startSite(scope, { environment, nginx })
  site.backend.answer = hasToken('good')
  return site
}

for (const verdictCache of [false, true]) {
  describe(`several host names that are one site, ${verdictCache ? 'with' : 'without'} the verdict cache`, () => {
    const site = forSuite((scope) => start(scope, edges, undefined, verdictCache))

    test('a viewer goes on at another one, over TLS or on another port, and nobody is asked', async () => {
      const { get } = await open(site)
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal(await get('edge2.tv.example.com', SEGMENT), 200)
        assert.equal(await get('edge2.tv.example.com', `${PLAYLIST}?token=good`), 200)
        assert.equal(await get('edge3.tv.example.com', SEGMENT, [], true), 200)
        assert.equal(await get('EDGE4.tv.example.com:8080', SEGMENT), 200)
      })
      assert.deepEqual(asked, [])
    })

    test('the backend is told the host name that the viewer wrote, by a re-check that of the opener', async () => {
      const { get, viewer } = await open(site)
      const origins = (): unknown[] =>
        site.backend.asked
          .filter(({ headers }) => headers['X-Real-Ua'] === viewer)
          .map(({ headers }) => headers['X-Real-Origin'])
      await until('a re-check', async () => {
        assert.equal(await get('edge2.tv.example.com', SEGMENT), 200)
        return origins().length >= 2
      })
      assert.deepEqual([...new Set(origins())], ['http://edge1.tv.example.com'])
      assert.equal(await get('edge2.tv.example.com', `${PLAYLIST}?token=bad`), 403)
      assert.equal(origins().at(-1), 'http://edge2.tv.example.com')
    })

    test('any other host name stays a site of its own', async () => {
      const { get } = await open(site)
      for (const host of [
        ...['other.example.com', 'tv', 'edge1.tv.example.com.example.net', 'edge.tv.example.com'],
        ...['edge1.tv.example.org', '127.0.0.1', 'tv.example.com'],
      ]) {
        assert.equal(await get(host, SEGMENT), 403, host)
        assert.equal(await get(host, PLAYLIST), 403, host)
      }
    })

    test('no client can choose its site', async () => {
      const { get } = await open(site)
      for (const headers of [
        ['X-Original-Site: tv'],
        ['X_Original_Site: tv'],
        ['Alta-Auth-Site: tv', 'Site: tv', 'X-Alta-Auth-Site: tv'],
        ['Connection: X-Original-Site', 'X-Original-Site: tv'],
        ['X-Forwarded-Host: edge1.tv.example.com', 'X-Original-Origin: http://edge1.tv.example.com'],
      ])
        assert.equal(await get('other.example.com', SEGMENT, headers), 403, headers.join())
      assert.equal(await get('other.example.com', `${SEGMENT}?alta_auth_site=tv&site=tv`), 403)
    })
  })
}

describe('a site that the configuration names by a line', () => {
  const location = 'LOCATION empty_gif;'
  const server = `
    location /one/ { set $alta_auth_site one; ${location} }
    location /two/ { set $alta_auth_site two; ${location} }
    location /none/ { ${location} }
    location /spaces/ { set $alta_auth_site "two words"; ${location} }
    location /long/ { set $alta_auth_site "${'a'.repeat(301)}"; ${location} }
    location ~ (?s)^/raw/(?<raw>.*)\\.m3u8$ { set $alta_auth_site $raw; ${location} }`
  for (const verdictCache of [false, true]) {
    const site = forSuite((scope) => start(scope, '', server, verdictCache))
    const get = async (target: string, viewer: string) =>
      await request({ port: site.nginx.port, target, headers: [`User-Agent: ${viewer}`] })
    const how = verdictCache ? 'with' : 'without'

    test(`is told to the gate, and one that is none is refused, ${how} the verdict cache`, async () => {
      const told: unknown[] = []
      site.gate.service.gateServer.on('request', ({ headers }) => told.push(headers['x-original-site']))
      const viewer = newViewer()
      for (const place of ['one', 'two', 'none'])
        assert.equal((await get(`/${place}/a.m3u8?token=good`, viewer)).status, 200)
      assert.deepEqual(told, ['one', 'two', undefined])
      for (const place of ['spaces', 'long', 'raw/%c3%a9'])
        assert.equal((await get(`/${place}/a.m3u8?token=good`, viewer)).status, 403, place)
      assert.equal((await get('/raw/a%0d%0aX-Original-Path:%20b.m3u8?token=good', viewer)).status, 403)
    })
  }
})
