import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { type ClientAnswer, request, requestHttp2 } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { accessLineOf, newViewer, questionsDuring, startSite } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

/** Queries that arrive as they were sent; the title shows them as they are. */
const untouched = [
  ...wordsOf(`
    token=123  a  a=1&a=2&a=1  b=2&a=1&c=3  A=1&a=2  a=&b=  a&b&a  =x  =  &  &&  a=1&&b=2  &a=1&  a==b=
    a=1+2  a=1%202  a=1%2b2  a=%00  a%00b=1  %  a=%  a=%z  a=%zz  a=%4  a=%4&b=%%41  a=%E2%82%AC  a=%e2%82%ac
    a=%0d%0aX-Real-Ip:%201.2.3.4  a="x"  a='x'  a=<script>alert(1)</script>  a=1;b=2;c  a[]=1&a[x]=2&a%5B%5D=3
    a=1?b=2  ?  ??a=1  a=/../b//c/./d  a=http://x.example.com:81/y?z=1  a=~!@$*()_-,.:/'  a=&amp;b=1  _HLS_msn=1&CMCD=x`),
  'a={1}|2^3`4\\5',
  `long=${'0123456789'.repeat(700)}`,
]

/** All the bytes that HTTP does not allow in a request line but nginx takes. */
const highBytes = Array.from({ length: 128 }, (_, index) => index + 128)

const changed: [what: string, sent: string, arrives: string][] = [
  ['raw UTF-8 is percent-encoded', '?a=\xe2\x82\xac&b=1', '?a=%E2%82%AC&b=1'],
  [
    'every raw byte from 0x80 on is percent-encoded',
    `?a=${String.fromCharCode(...highBytes)}`,
    `?a=${highBytes.map((byte) => `%${byte.toString(16).toUpperCase()}`).join('')}`,
  ],
  ['# and what follows is cut', '?a=1#b', '?a=1'],
  ['a # in front of a second ? cuts that too', '?a=1#?b=2', '?a=1'],
  ['# in front of the query cuts all of it', '#?a=1', ''],
  ['an encoded # stays', '?a=1%23b', '?a=1%23b'],
  ['no query leaves no ?', '', ''],
  ['a lone ? leaves no ?', '?', ''],
  ['? and # leave no ?', '?#', ''],
]

describe('the query reaches the backend', () => {
  const site = forSuite((scope) => startSite(scope))

  const targetFor = async (play: (viewer: string) => Promise<unknown>): Promise<string> => {
    const asked = await questionsDuring(site.backend, () => play(newViewer()))
    assert.equal(asked.length, 1, 'one question')
    return asked[0]?.target ?? ''
  }
  const play = (query: string) => async (viewer: string) => {
    const headers = [`User-Agent: ${viewer}`]
    const answer = await request({ port: site.nginx.port, target: `/index.m3u8${query}`, headers })
    assert.equal(answer.status, 200)
  }

  for (const query of untouched) {
    test(`byte for byte: ${query.slice(0, 60)}`, async () => {
      assert.equal(await targetFor(play(`?${query}`)), `/auth?${query}`)
    })
  }

  test('byte for byte over HTTP/2 too', async () => {
    const { tlsPort } = site.nginx
    for (const query of untouched) {
      const target = await targetFor((viewer) =>
        requestHttp2(tlsPort, `/index.m3u8?${query}`, { 'user-agent': viewer }),
      )
      assert.equal(target, `/auth?${query}`)
    }
  })

  test('byte for byte from an absolute-form request, with and without a path', async () => {
    for (const place of ['http://localhost/index.m3u8', 'http://localhost']) {
      const target = await targetFor((viewer) =>
        request({
          port: site.nginx.port,
          target: `${place}?a=%zz&b="/x"?`,
          headers: [`User-Agent: ${viewer}`],
        }),
      )
      assert.equal(target, '/auth?a=%zz&b="/x"?', place)
    }
  })

  for (const [what, sent, arrives] of changed) {
    test(what, async () => {
      assert.equal(await targetFor(play(sent)), `/auth${arrives}`)
    })
  }
})

describe("a query beside the operator's own", () => {
  const own = 'key=%6fp+%zz&k[a]=1&&empty='
  const site = forSuite((scope) => startSite(scope, { backendPath: `/auth.php?${own}` }))

  const joined: [what: string, sent: string, arrives: string][] = [
    ['comes first, joined with &', '?a=1&b=%zz', `a=1&b=%zz&${own}`],
    ['keeps its empty pieces', '?&a=1&&', `&a=1&&&${own}`],
    ['is nothing when there is none', '', own],
    ['is nothing when it is a lone ?', '?', own],
    ["is nothing when it only has the operator's names", '?key=x&k[b]=2&empty', own],
    [
      "loses the operator's names and nothing else",
      '?a=1&key=x&b=%zz&a=2&k=1&keys=3',
      `a=1&b=%zz&a=2&keys=3&${own}`,
    ],
  ]
  for (const [what, sent, arrives] of joined) {
    test(what, async () => {
      const asked = await questionsDuring(site.backend, () =>
        request({
          port: site.nginx.port,
          target: `/index.m3u8${sent}`,
          headers: [`User-Agent: ${newViewer()}`],
        }),
      )
      assert.deepEqual(
        asked.map(({ target }) => target),
        [`/auth.php?${arrives}`],
      )
    })
  }
})

describe('a query that is too much is refused and nobody is asked, even with DEFAULT_ACTION=allow', () => {
  const site = forSuite((scope) =>
    startSite(scope, {
      environment: { DEFAULT_ACTION: 'allow' },
      nginx: { onFailure: 'allow' },
    }),
  )
  const play = (query: string, viewer: string): Promise<ClientAnswer> =>
    request({
      port: site.nginx.port,
      target: `/index.m3u8?${query}`,
      headers: [`User-Agent: ${viewer}`],
    })

  const passing: [what: string, query: string][] = [
    ['500 parameters', Array.from({ length: 500 }, (_, index) => `p${index}=1`).join('&')],
    ['500 empty parameters', '&'.repeat(499)],
    ['2,600 raw bytes from 0x80 on (7,800 encoded)', '\xff'.repeat(2600)],
  ]
  for (const [what, query] of passing) {
    test(`passes: ${what}`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal((await play(query, newViewer())).status, 200)
      })
      assert.deepEqual(
        asked.map(({ target }) => target),
        [`/auth?${query.replaceAll('\xff', '%FF')}`],
      )
    })
  }

  const refused: [what: string, query: string][] = [
    ['501 parameters', Array.from({ length: 501 }, (_, index) => `p${index}=1`).join('&')],
    ['501 empty parameters', '&'.repeat(500)],
    ['7,000 raw bytes from 0x80 on (21,000 encoded)', '\xff'.repeat(7000)],
  ]
  for (const [what, query] of refused) {
    test(`is refused: ${what}`, async () => {
      const viewer = newViewer()
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal((await play(query, viewer)).status, 403)
        const { status, verdict, source, reason } = await askGate(site.gate.port, { uri: `/x?${query}` })
        assert.deepEqual(
          { status, verdict, source, reason },
          { status: 403, verdict: 'deny', source: 'gate', reason: 'bad-request' },
        )
      })
      assert.deepEqual(asked, [])
      assert.match(
        await accessLineOf(site.nginx, viewer),
        / 403 \d+ verdict=deny source=gate reason=bad-request /,
      )
    })
  }
})
