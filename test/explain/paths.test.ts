import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExplainError, readClientRequest } from '../../src/explain/read-client-request.ts'
import { request } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

/** Request targets as a client sends them; latin-1, one character a byte. */
const targets = wordsOf(`
  /live/index.m3u8?token=1 /live//index.m3u8?token=1&a=b%20c /live/./x/../index.m3u8?a
  /live/%2e%2e/live/a.ts?token=%C3%A9 /live/..%2flive/a.ts /%6Cive/a%20b.ts?x=1?y=2 /live/a+b%2bc.ts
  /live/a;v=1,2/(x)!.ts /live/%C3%A9t%C3%A9.ts /live/a%25b%3fc%23d.ts?e%23f /live/dir/ /live/dir/.
  /live/dir/.. /live/trailing%20 /live/... /live/..a/.b./c.ts /live/a.ts? /live/a.ts??
  /live/a.ts#part?token=1 /live/a%7Cb%22c%5Cd.ts`)
const refusedByNginx = wordsOf(`
  /live/../../etc/passwd /live/%2e%2e/%2e%2e/x /live/%zz.ts /live/%00.ts /live/%`)

describe('a URL is read as nginx would send it', () => {
  const site = forSuite((scope) => startSite(scope))

  for (const target of targets) {
    test(target, async () => {
      const userAgent = newViewer()
      const host = 'Live.Example.com:8080'
      await request({
        port: site.nginx.port,
        target,
        host: `Host: ${host}`,
        headers: [`User-Agent: ${userAgent}`],
      })
      const asked = site.backend.asked.find(({ headers }) => headers['X-Real-Ua'] === userAgent)
      assert.ok(asked !== undefined)
      const read = readClientRequest({
        url: `http://${host}${target}`,
        address: '127.0.0.1',
        userAgent,
        playbackId: '',
      })
      assert.ok('path' in read, JSON.stringify(read))
      const mark = asked.target.indexOf('?')
      assert.deepEqual(
        { path: read.path, origin: read.origin, query: read.query },
        {
          path: asked.headers['X-Real-Path'],
          origin: asked.headers['X-Real-Origin'],
          query: mark === -1 ? '' : asked.target.slice(mark + 1),
        },
      )
    })
  }

  for (const target of refusedByNginx) {
    test(`nginx answers 400 and so says the explanation: ${target}`, async () => {
      const { status } = await request({ port: site.nginx.port, target, host: 'Host: live.example.com' })
      assert.equal(status, 400)
      assert.throws(
        () =>
          readClientRequest({
            url: `http://live.example.com${target}`,
            address: '127.0.0.1',
            userAgent: '',
            playbackId: '',
          }),
        ExplainError,
      )
    })
  }

  test('text that is no whole URL is refused with an example', () => {
    for (const url of ['/live/index.m3u8', 'live.example.com/x', 'ftp://live.example.com/x', '']) {
      const ask = () => readClientRequest({ url, address: '127.0.0.1', userAgent: '', playbackId: '' })
      assert.throws(ask, /must be a whole one.*https:\/\/live\.example\.com/)
    }
  })
})
