import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { connectHttp2Viewer, type Http2Request } from '../support/http2-viewer.ts'
import { startNginx } from '../support/nginx.ts'
import { newViewer } from '../support/site.ts'
import { startSiteWithOrigin } from '../support/site-with-origin.ts'

/** A body that a gate out of step would take for an allowed subrequest. */
const smuggled = [
  'GET /auth HTTP/1.1',
  'X-Original-Ip: 127.0.0.1',
  'X-Original-Origin: http://localhost',
  'X-Original-Path: /origin/|',
  'X-Original-Uri: /origin/?token=good',
  '\r\n',
].join('\r\n')
const long = 'x'.repeat(65_536)

const kinds: readonly Http2Request[] = [
  { target: '/index.m3u8?token=good' },
  { target: '/origin/?token=good', method: 'POST', body: smuggled },
  { target: '/index.m3u8?token=bad' },
  { target: '/origin/?token=bad', method: 'POST', body: smuggled },
  { target: '/origin/?token=bad', method: 'PUT', body: long },
  { target: '/origin/?token=good', method: 'PUT', body: long },
]
const ROUNDS = 6
const AT_ONCE = 10

/** The requests of one round: another order each time. */
function batchOf(round: number): Http2Request[] {
  return Array.from(
    { length: AT_ONCE },
    (_, index) => kinds[(round + index) % kinds.length] ?? { target: '/' },
  )
}

function expected({ target, method = 'GET', body = '' }: Http2Request): string {
  if (target.endsWith('bad')) return '403'
  return `200 ${method === 'GET' ? '#EXTM3U\n' : `${method} ${body.length}`}`
}

function summary({ status, body }: { readonly status: number; readonly body: string }): string {
  return status === 403 ? '403' : `${status} ${body}`
}

for (const without of ['proxy_set_header Content-Length "";', 'proxy_set_body             "";']) {
  test(`a body is not announced to the gate, though a site has taken out ${without}`, async (t) => {
    const gate = await startBackend(t)
    const nginx = await startNginx(t, { gates: [gate.url.replace('http://', '')], without })
    await request({
      port: nginx.port,
      target: '/',
      method: 'POST',
      body: long,
      headers: [`Content-Length: ${long.length}`],
    })
    const [asked, ...more] = gate.asked
    assert.ok(['0', undefined].includes(asked?.headers['Content-Length']), asked?.headers['Content-Length'])
    assert.equal(asked?.headers['Transfer-Encoding'], undefined)
    assert.deepEqual(more, [])
  })
}

test('a body disturbs no other request, though all share the connections to the gate', async (t) => {
  const site = await startSiteWithOrigin(t)
  const overHttp1 = async ({ target, method = 'GET', body = '' }: Http2Request): Promise<string> => {
    const length = body === '' ? [] : [`Content-Length: ${body.length}`]
    const headers = [`User-Agent: ${newViewer()}`, ...length]
    return summary(await request({ port: site.nginx.port, target, method, body, headers }))
  }
  const viewer = await connectHttp2Viewer(t, site.nginx.tlsPort)
  const overHttp2 = async (kind: Http2Request): Promise<string> =>
    summary(await viewer.request({ ...kind, headers: { 'user-agent': newViewer() } }))

  for (let round = 0; round < ROUNDS; round++) {
    const batch = batchOf(round)
    for (const kind of batch) assert.equal(await overHttp1(kind), expected(kind))
    for (const send of [overHttp1, overHttp2])
      assert.deepEqual(await Promise.all(batch.map(send)), batch.map(expected))
  }
  assert.equal(site.backend.asked.length, 3 * ROUNDS * AT_ONCE)
  const refused = site.gate.log.filter(({ reason }) => reason === 'bad-request')
  assert.deepEqual(refused, [])
})
