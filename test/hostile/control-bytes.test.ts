import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type ClientAnswer, request } from '../support/client.ts'
import { connectHttp2Viewer } from '../support/http2-viewer.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, startSite, writeNamedFiles } from '../support/site.ts'

const inPath = ['\r\n', '\r', '\n', '\x01', '\x09', '\x0b', '\x1b', '\x1f', '\x7f']
const inHeader = ['\x01', '\t', '\x0b', '\x1b', '\x1f', '\x7f']
/** What ends a header or a string: nginx itself refuses it. */
const ending = ['\r', '\x00']

const encode = (bytes: string): string =>
  Array.from(bytes, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')

describe('control bytes are refused by nginx, and nobody is asked,', () => {
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, {
      environment: { DEFAULT_ACTION: 'allow' },
      nginx: { onFailure: 'allow' },
    })
    writeNamedFiles(
      site.nginx.root,
      inPath.map((bytes) => `/a${bytes}b.ts`),
    )
    return site
  })
  const play = (target: string, headers: readonly string[] = [], host?: string): Promise<ClientAnswer> =>
    request({ port: site.nginx.port, target, headers, ...(host === undefined ? {} : { host }) })

  const assertRefused = async (t: TestContext): Promise<void> => {
    const plain = await play('/index.m3u8', [`User-Agent: ${newViewer()}`])
    assert.equal(plain.status, 200, 'while others play')
    site.backend.asked.length = 0

    const refusal = / 403 \d+ verdict=deny source=nginx reason=control-bytes /
    for (const bytes of inPath) {
      const viewer = newViewer()
      const { status } = await play(`/a${encode(bytes)}b.ts`, [`User-Agent: ${viewer}`])
      assert.equal(status, 403, encode(bytes))
      assert.match(await accessLineOf(site.nginx, viewer), refusal)
    }
    const viewer = newViewer()
    await play('/index.m3u8', ['X-Playback-Session-Id: \x01', `User-Agent: ${viewer}`])
    assert.match(await accessLineOf(site.nginx, viewer), refusal)

    const overHttp2 = await connectHttp2Viewer(t, site.nginx.tlsPort)
    for (const name of ['User-Agent', 'X-Playback-Session-Id']) {
      for (const byte of [...inHeader, ...ending]) {
        const { status } = await play('/index.m3u8', [`${name}: a${byte}b`])
        assert.equal(status, ending.includes(byte) ? 400 : 403, `${name} ${encode(byte)}`)
      }
      for (const byte of inHeader) {
        const headers = { [name.toLowerCase()]: `a${byte}b` }
        const { status } = await overHttp2.request({ target: '/index.m3u8', headers })
        assert.equal(status, 403, `${name} ${encode(byte)} over HTTP/2`)
      }
    }
    for (const byte of [...inHeader, ...ending])
      assert.equal((await play('/index.m3u8', [], `Host: a${byte}b`)).status, 400, `Host ${encode(byte)}`)
    assert.deepEqual(site.backend.asked, [])

    // What is not passed on goes nowhere.
    for (const name of [
      'Cookie',
      'Referer',
      'X-Forwarded-For',
      'X-Original-Ip',
      'X-Real-Ip',
      'X-Auth-Verdict',
    ]) {
      for (const byte of [...inHeader, ...ending]) {
        const { status } = await play('/index.m3u8', [`User-Agent: ${newViewer()}`, `${name}: a${byte}b`])
        assert.equal(status, ending.includes(byte) ? 400 : 200, `${name} ${encode(byte)}`)
      }
    }
    assert.ok(site.backend.asked.every(({ headers }) => headers['X-Real-Ip'] === '127.0.0.1'))
  }

  test('with the gate', assertRefused)

  test('even by on-failure-allow, without a gate', async (t) => {
    await site.gate.service.stop()
    await assertRefused(t)
  })
})
