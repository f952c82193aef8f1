import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request } from '../support/client.ts'
import { connectHttp2Viewer } from '../support/http2-viewer.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, questionsDuring, startSite, writeNamedFiles } from '../support/site.ts'

/**
 * Client request targets and the file that nginx serves for them. All are byte strings in latin-1, one
 * character for each byte.
 */
const served: [target: string, file: string, realPath: string][] = [
  ['/plain.ts', '/plain.ts', '/plain.ts'],
  ['/plain.ts?x=/../../a/x.ts', '/plain.ts', '/plain.ts'],
  ['/plain.ts#/../a/x.ts', '/plain.ts', '/plain.ts'],
  ['/./plain.ts', '/plain.ts', '/plain.ts'],
  ['/a/../plain.ts', '/plain.ts', '/plain.ts'],
  ['/a/%2e%2e/plain.ts', '/plain.ts', '/plain.ts'],
  ['/a/%2E./plain.ts', '/plain.ts', '/plain.ts'],
  ['/a/..%2fplain.ts', '/plain.ts', '/plain.ts'],
  ['/a/x.ts/../../plain.ts', '/plain.ts', '/plain.ts'],
  ['//plain.ts', '/plain.ts', '/plain.ts'],
  ['/a///x.ts', '/a/x.ts', '/a/x.ts'],
  ['/a%2fx.ts', '/a/x.ts', '/a/x.ts'],
  ['/a%2F%2fx.ts', '/a/x.ts', '/a/x.ts'],
  ['/%70lain.t%73', '/plain.ts', '/plain.ts'],
  ['http://localhost/plain.ts', '/plain.ts', '/plain.ts'],
  ['http://localhost/a/..//%70lain.ts?x', '/plain.ts', '/plain.ts'],
  ['/a;v=1/x.ts', '/a;v=1/x.ts', '/a;v=1/x.ts'],
  ['/a%3bv=1/x.ts', '/a;v=1/x.ts', '/a;v=1/x.ts'],
  ['/two%20words.ts', '/two words.ts', '/two%20words.ts'],
  ['/trailing%20', '/trailing ', '/trailing%20'],
  ['/trailing%20%20', '/trailing  ', '/trailing%20%20'],
  ['/%20leading', '/ leading', '/%20leading'],
  ['/%20/%20', '/ / ', '/%20/%20'],
  ['/a+b.ts', '/a+b.ts', '/a+b.ts'],
  ['/a%2bb.ts', '/a+b.ts', '/a+b.ts'],
  ['/%C3%A9.ts', '/\xc3\xa9.ts', '/%C3%A9.ts'],
  ['/%c3%a9.ts', '/\xc3\xa9.ts', '/%C3%A9.ts'],
  ['/\xc3\xa9.ts', '/\xc3\xa9.ts', '/%C3%A9.ts'],
  ['/%ff\xfe.ts', '/\xff\xfe.ts', '/%FF%FE.ts'],
  ['/%a0trailing%a0', '/\xa0trailing\xa0', '/%A0trailing%A0'],
  ['/100%25.ts', '/100%.ts', '/100%25.ts'],
  ['/100%2525.ts', '/100%25.ts', '/100%2525.ts'],
  ['/a%252fx.ts', '/a%2fx.ts', '/a%252fx.ts'],
  ['/what%3f.ts', '/what?.ts', '/what%3F.ts'],
  ['/no%231.ts', '/no#1.ts', '/no%231.ts'],
  ['/"a".ts', '/"a".ts', '/%22a%22.ts'],
  ['/%22a%22.ts', '/"a".ts', '/%22a%22.ts'],
  ["/it's.ts", "/it's.ts", "/it's.ts"],
  ['/a|', '/a|', '/a%7C'],
  ['/a%7c', '/a|', '/a%7C'],
  ['/a\\b.ts', '/a\\b.ts', '/a%5Cb.ts'],
  ['/<a>{b}[c]^`.ts', '/<a>{b}[c]^`.ts', '/%3Ca%3E%7Bb%7D%5Bc%5D%5E%60.ts'],
  ["/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"],
  ['/...', '/...', '/...'],
]

/** Answered by nginx itself with a 400. */
const invalid = [
  '/..',
  '/../plain.ts',
  '/%2e%2e/plain.ts',
  '/plain.ts%00',
  '/%00',
  '/plain.ts%',
  '/%zz',
  '/a b.ts',
  '/a\x01',
  'plain.ts',
  '*',
]

const controlBytes = ['\r\n', '\r', '\n', '\x01', '\x09', '\x0b', '\x1b', '\x1f', '\x7f']

function encodeEveryByte(bytes: string): string {
  return Array.from(Buffer.from(bytes, 'latin1'), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

function decode(path: string): string {
  return path.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

describe('X-Real-Path is the path that nginx serves, percent-encoded', () => {
  const site = forSuite(async (scope) => {
    const site = await startSite(scope)
    writeNamedFiles(
      site.nginx.root,
      served.map(([, file]) => file),
    )
    return site
  })

  for (const [target, file, realPath] of served) {
    test(JSON.stringify(target), async () => {
      const asked = await questionsDuring(site.backend, async () => {
        const answer = await request({
          port: site.nginx.port,
          target,
          headers: [`User-Agent: ${newViewer()}`],
        })
        assert.equal(answer.status, 200)
        assert.equal(answer.body, file, 'the served file')
      })
      assert.deepEqual(
        asked.map(({ headers }) => headers['X-Real-Path']),
        [realPath],
      )
      assert.equal(decode(realPath), file, 'decoded')
    })
  }

  test('over HTTP/2, too', async (t) => {
    const viewer = await connectHttp2Viewer(t, site.nginx.tlsPort)
    const plain = served.filter(([target]) => /^\/[\x21-\x7e]*$/.test(target))
    for (const [target, file, realPath] of plain) {
      const asked = await questionsDuring(site.backend, async () => {
        const { status, body } = await viewer.request({ target, headers: { 'user-agent': newViewer() } })
        assert.deepEqual([status, body], [200, file], target)
      })
      assert.deepEqual(
        asked.map(({ headers }) => headers['X-Real-Path']),
        [realPath],
      )
    }
  })

  for (const target of invalid) {
    test(`nginx itself refuses ${JSON.stringify(target)}`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal((await request({ port: site.nginx.port, target })).status, 400)
      })
      assert.deepEqual(asked, [])
    })
  }
})

for (const gateRuns of [true, false]) {
  describe(`control bytes in the path are refused ${gateRuns ? 'and nobody is asked' : 'even by on-failure-allow, without a gate'}`, () => {
    const site = forSuite(async (scope) => {
      const site = await startSite(scope, {
        environment: { DEFAULT_ACTION: 'allow' },
        nginx: { onFailure: 'allow' },
      })
      writeNamedFiles(site.nginx.root, [...controlBytes.map((bytes) => `/a${bytes}b.ts`), '/plain.ts'])
      if (!gateRuns) await site.gate.service.stop()
      return site
    })
    const play = (target: string, viewer: string) =>
      request({ port: site.nginx.port, target, headers: [`User-Agent: ${viewer}`] })

    test('while other paths play', async () => {
      assert.equal((await play('/plain.ts', newViewer())).status, 200)
    })

    for (const bytes of controlBytes) {
      test(encodeEveryByte(bytes), async () => {
        const viewer = newViewer()
        const asked = await questionsDuring(site.backend, async () => {
          assert.equal((await play(`/a${encodeEveryByte(bytes)}b.ts`, viewer)).status, 403)
        })
        assert.deepEqual(asked, [])
        assert.match(
          await accessLineOf(site.nginx, viewer),
          / 403 \d+ verdict=deny source=nginx reason=control-bytes /,
        )
      })
    }
  })
}
