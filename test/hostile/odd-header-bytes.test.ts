import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ClientAnswer, request } from '../support/client.ts'
import { connectHttp2Viewer } from '../support/http2-viewer.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, questionsDuring, startSite } from '../support/site.ts'

const path = '/index.m3u8'

for (const gateRuns of [true, false]) {
  describe(`odd bytes in headers, ${gateRuns ? 'with the gate' : 'without a gate and with on-failure-allow'}`, () => {
    const site = forSuite(async (scope) => {
      const site = await startSite(scope, {
        environment: { DEFAULT_ACTION: 'allow' },
        nginx: { onFailure: 'allow' },
      })
      if (!gateRuns) await site.gate.service.stop()
      return site
    })
    const play = (options: { readonly headers: string[]; readonly host?: string }): Promise<ClientAnswer> =>
      request({ port: site.nginx.port, target: path, ...options })

    const bytes = ['\x01', '\x0b', '\x1b', '\x7f', '\t', '\r', '\x00', '\x1f']
    for (const name of ['User-Agent', 'X-Playback-Session-Id']) {
      for (const byte of bytes) {
        test(`${name} with ${JSON.stringify(byte)} is refused and nobody is asked`, async () => {
          const asked = await questionsDuring(site.backend, async () => {
            const { status } = await play({ headers: [`${name}: a${byte}b`] })
            // nginx itself refuses what ends a header or a string.
            assert.equal(status, byte === '\r' || byte === '\x00' ? 400 : 403)
          })
          assert.deepEqual(asked, [])
        })
      }
    }

    test('the same over HTTP/2', async (t) => {
      const viewer = await connectHttp2Viewer(t, site.nginx.tlsPort)
      const asked = await questionsDuring(site.backend, async () => {
        for (const name of ['user-agent', 'x-playback-session-id']) {
          for (const byte of ['\x01', '\x0b', '\x1b', '\x7f', '\t', '\x1f']) {
            const { status } = await viewer.request({ target: path, headers: { [name]: `a${byte}b` } })
            assert.equal(status, 403, JSON.stringify(byte))
          }
        }
      })
      assert.deepEqual(asked, [])
    })

    test('a refusal for control bytes has its reason in the access log', async () => {
      const viewer = newViewer()
      await play({ headers: ['X-Playback-Session-Id: \x01', `User-Agent: ${viewer}`] })
      assert.match(
        await accessLineOf(site.nginx, viewer),
        / 403 \d+ verdict=deny source=nginx reason=control-bytes /,
      )
    })

    for (const byte of bytes) {
      test(`Host with ${JSON.stringify(byte)} is refused by nginx`, async () => {
        assert.equal((await play({ headers: [], host: `Host: a${byte}b` })).status, 400)
      })

      test(`Cookie and Referer with ${JSON.stringify(byte)} go nowhere`, async () => {
        for (const name of ['Cookie', 'Referer']) {
          const { status } = await play({ headers: [`User-Agent: ${newViewer()}`, `${name}: a${byte}b`] })
          assert.equal(status, byte === '\r' || byte === '\x00' ? 400 : 200, name)
        }
      })
    }
  })
}

describe("a client's values", () => {
  const site = forSuite((scope) =>
    startSite(scope, { environment: { DEFAULT_ACTION: 'allow' }, nginx: { onFailure: 'allow' } }),
  )
  const play = (headers: string[], host?: string): Promise<ClientAnswer> =>
    request({ port: site.nginx.port, target: path, headers, ...(host === undefined ? {} : { host }) })

  const userAgents: [sent: string, arrives: string][] = [
    ['VLC/3.0.21 LibVLC/3.0.21', 'VLC/3.0.21 LibVLC/3.0.21'],
    ['T\xc3\xa9l\xc3\xa9 \xff', 'T%C3%A9l%C3%A9 %FF'],
    ['\x80\x85\xa0 x \xa0\x85\x80', '%80%85%A0 x %A0%85%80'],
    ['"quoted" \\ <b> {a} %0d%0a 100% | ^ `', '"quoted" \\ <b> {a} %0d%0a 100% | ^ `'],
    ['  spaces  around  ', 'spaces  around'],
    ['false', 'false'],
    ['', ''],
  ]
  for (const [sent, arrives] of userAgents) {
    test(`User-Agent ${JSON.stringify(sent)} arrives as ${JSON.stringify(arrives)}`, async () => {
      // The playback id makes the viewer new.
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal(
          (await play([`User-Agent: ${sent}`, `X-Playback-Session-Id: ${newViewer()}`])).status,
          200,
        )
      })
      assert.deepEqual(
        asked.map(({ headers }) => headers['X-Real-Ua']),
        [arrives],
      )
    })
  }

  test('no User-Agent at all is an empty one', async () => {
    const asked = await questionsDuring(site.backend, () => play([`X-Playback-Session-Id: ${newViewer()}`]))
    assert.deepEqual(
      asked.map(({ headers }) => headers['X-Real-Ua']),
      [''],
    )
  })

  const tooLong: [what: string, headers: string[]][] = [
    ['a User-Agent of 3 KB', [`User-Agent: ${'x'.repeat(3072)}`]],
    ['a User-Agent of 1 KB that is 3 KB encoded', [`User-Agent: ${'\xff'.repeat(1024)}`]],
    ['a playback id of 3 KB', [`X-Playback-Session-Id: ${'x'.repeat(3072)}`]],
  ]
  for (const [what, headers] of tooLong) {
    test(`${what} is refused as bad-request and nobody is asked`, async () => {
      const lines = site.nginx.accessLog().length
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal((await play(headers)).status, 403)
      })
      assert.deepEqual(asked, [])
      // The next request's line follows the one that counts.
      const viewer = newViewer()
      await play([`User-Agent: ${viewer}`])
      await accessLineOf(site.nginx, viewer)
      assert.match(
        site.nginx.accessLog()[lines] ?? '',
        / 403 \d+ verdict=deny source=gate reason=bad-request /,
      )
    })
  }

  test('a User-Agent of 2 KB still plays', async () => {
    assert.equal((await play([`User-Agent: ${'y'.repeat(2048)}`])).status, 200)
  })

  const hosts: [host: string, origin: string | 400 | 403][] = [
    ['my_host.example.com', 'http://my_host.example.com'],
    ['a.example.com.', 'http://a.example.com'],
    ['a.example.com.:81', 'http://a.example.com:81'],
    ['A.Example.com:81', 'http://a.example.com:81'],
    ['a.example.com:', 'http://a.example.com'],
    ['a.example.com:81', 'http://a.example.com:81'],
    ['a.example.com:81x', 'http://a.example.com'],
    ['a.example.com:999999', 403],
    ["it's(a)*!$&+,;=~", "http://it's(a)*!$&+,;=~"],
    ['%41.example.com', 'http://%41.example.com'],
    ['[2001:DB8::1]', 'http://[2001:db8::1]'],
    ['"a"', 403],
    ['a<b>', 403],
    ['a\\b', 403],
    ['a|b^`{}', 403],
    ['caf\xc3\xa9.example.com', 403],
    ['\xff', 403],
    ['a@b', 403],
    ['a?b', 403],
    ['a#b', 403],
    [`${'a'.repeat(3000)}`, 403],
    ['a b', 400],
    ['a/b', 400],
    ['a..b', 400],
    ['[::1', 403],
  ]
  for (const [host, origin] of hosts) {
    test(`Host: ${JSON.stringify(host.slice(0, 40))} is ${origin}`, async () => {
      let status = 0
      const asked = await questionsDuring(site.backend, async () => {
        status = (await play([`User-Agent: ${newViewer()}`], `Host: ${host}`)).status
      })
      if (typeof origin === 'number') {
        assert.equal(status, origin)
        assert.deepEqual(asked, [])
      } else {
        assert.equal(status, 200)
        assert.deepEqual(
          asked.map(({ headers }) => headers['X-Real-Origin']),
          [origin],
        )
      }
    })
  }
})
