import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Asked } from '../support/backend.ts'
import { type ClientAnswer, request } from '../support/client.ts'
import { connectHttp2Viewer } from '../support/http2-viewer.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite, writeNamedFiles } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

type Pair = readonly [sent: string, arrives: string]

function pairsOf(table: string): Pair[] {
  const words = wordsOf(table)
  return Array.from({ length: words.length / 2 }, (_, n) => [words[2 * n] ?? '', words[2 * n + 1] ?? ''])
}

/**
 * Client request targets, and the path that the backend gets: that of the file that nginx serves, percent-
 * encoded. All are byte strings in latin-1, one character for each byte.
 */
const paths: readonly Pair[] = [
  ...pairsOf(String.raw`
    /plain.ts /plain.ts                       /plain.ts?x=/../../a/x.ts /plain.ts
    /plain.ts#/../a/x.ts /plain.ts            /./plain.ts /plain.ts
    /a/../plain.ts /plain.ts                  /a/%2e%2e/plain.ts /plain.ts
    /a/%2E./plain.ts /plain.ts                /a/..%2fplain.ts /plain.ts
    /a/x.ts/../../plain.ts /plain.ts          //plain.ts /plain.ts
    /a///x.ts /a/x.ts                         /a%2fx.ts /a/x.ts
    /a%2F%2fx.ts /a/x.ts                      /%70lain.t%73 /plain.ts
    http://localhost/plain.ts /plain.ts       http://localhost/a/..//%70lain.ts?x /plain.ts
    /a;v=1/x.ts /a;v=1/x.ts                   /a%3bv=1/x.ts /a;v=1/x.ts
    /two%20words.ts /two%20words.ts           /trailing%20 /trailing%20
    /trailing%20%20 /trailing%20%20           /%20leading /%20leading
    /%20/%20 /%20/%20                         /a+b.ts /a+b.ts
    /a%2bb.ts /a+b.ts                         /%C3%A9.ts /%C3%A9.ts
    /%c3%a9.ts /%C3%A9.ts                     /%a0trailing%a0 /%A0trailing%A0
    /100%25.ts /100%25.ts                     /100%2525.ts /100%2525.ts
    /a%252fx.ts /a%252fx.ts                   /what%3f.ts /what%3F.ts
    /no%231.ts /no%231.ts                     /"a".ts /%22a%22.ts
    /%22a%22.ts /%22a%22.ts                   /it's.ts /it's.ts
    /a| /a%7C                                 /a%7c /a%7C
    /a\b.ts /a%5Cb.ts                         /-._~!$&'()*+,;=:@ /-._~!$&'()*+,;=:@
    /... /...                                 /<a>{b}[c]^${'`'}.ts /%3Ca%3E%7Bb%7D%5Bc%5D%5E%60.ts`),
  ['/\xc3\xa9.ts', '/%C3%A9.ts'],
  ['/%ff\xfe.ts', '/%FF%FE.ts'],
]

/** Targets that nginx itself answers with a 400. */
const invalid = [
  ...wordsOf('/..  /../plain.ts  /%2e%2e/plain.ts  /plain.ts%00  /%00  /plain.ts%  /%zz  plain.ts  *'),
  '/a b.ts',
  '/a\x01',
]

/** Queries that arrive as they were sent. */
const untouched = [
  ...wordsOf(`
    token=123  a  a=1&a=2&a=1  b=2&a=1&c=3  A=1&a=2  a=&b=  a&b&a  =x  =  &  &&  a=1&&b=2  &a=1&  a==b=
    a=1+2  a=1%202  a=1%2b2  a=%00  a%00b=1  %  a=%  a=%z  a=%zz  a=%4  a=%4&b=%%41  a=%E2%82%AC  a=%e2%82%ac
    a=%0d%0aX-Real-Ip:%201.2.3.4  a="x"  a='x'  a=<script>alert(1)</script>  a=1;b=2;c  a[]=1&a[x]=2&a%5B%5D=3
    a=1?b=2  ?  ??a=1  a=/../b//c/./d  a=http://x.example.com:81/y?z=1  a=~!@$*()_-,.:/'  a=&amp;b=1  _HLS_msn=1&CMCD=x`),
  'a={1}|2^3`4\\5',
  `long=${'0123456789'.repeat(700)}`,
]

/** Bytes that HTTP does not allow in a request line, but nginx takes. */
const highBytes = Array.from({ length: 128 }, (_, index) => index + 128)

/** Behind the path, and the query that arrives. Of a `#` and what follows it nothing does. */
const queries: readonly Pair[] = [
  ...untouched.map((query): Pair => [`?${query}`, query]),
  ...pairsOf('?a=1#b a=1   ?a=1#?b=2 a=1   ?a=1%23b a=1%23b'),
  ...['#?a=1', '', '?', '?#'].map((sent): Pair => [sent, '']),
  ['?a=\xe2\x82\xac&b=1', 'a=%E2%82%AC&b=1'],
  [
    `?a=${String.fromCharCode(...highBytes)}`,
    `a=${highBytes.map((byte) => `%${byte.toString(16).toUpperCase()}`).join('')}`,
  ],
]

const userAgents: readonly Pair[] = [
  ['VLC/3.0.21 LibVLC/3.0.21', 'VLC/3.0.21 LibVLC/3.0.21'],
  ['T\xc3\xa9l\xc3\xa9 \xff', 'T%C3%A9l%C3%A9 %FF'],
  ['\x80\x85\xa0 x \xa0\x85\x80', '%80%85%A0 x %A0%85%80'],
  ['"quoted" \\ <b> {a} %0d%0a 100% | ^ `', '"quoted" \\ <b> {a} %0d%0a 100% | ^ `'],
  ['  spaces  around  ', 'spaces  around'],
  ['false', 'false'],
  ['', ''],
]

const hosts: readonly Pair[] = pairsOf(`
  my_host.example.com http://my_host.example.com   a.example.com. http://a.example.com
  a.example.com.:81 http://a.example.com:81        A.Example.com:81 http://a.example.com:81
  a.example.com: http://a.example.com              a.example.com:81 http://a.example.com:81
  a.example.com:81x http://a.example.com           it's(a)*!$&+,;=~ http://it's(a)*!$&+,;=~
  %41.example.com http://%41.example.com           [2001:DB8::1] http://[2001:db8::1]`)
/** Hosts that the gate refuses, and hosts that nginx answers with a 400. */
const refusedHosts: Readonly<Record<403 | 400, readonly string[]>> = {
  403: [
    ...wordsOf(
      'a.example.com:999999  "a"  a<b>  a\\b  a|b^`{}  caf\xc3\xa9.example.com  \xff  a@b  a?b  a#b  [::1',
    ),
    'a'.repeat(3000),
  ],
  400: ['a b', 'a/b', 'a..b'],
}

const decode = (path: string): string =>
  path.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

describe("what a client sends reaches the backend, and nothing of it is the operator's:", () => {
  const OWN = 'key=%6fp+%zz&k[a]=1'
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, {
      backendPath: `/auth?${OWN}`,
      environment: { DEFAULT_ACTION: 'allow' },
      nginx: { onFailure: 'allow' },
    })
    writeNamedFiles(
      site.nginx.root,
      paths.map(([, path]) => decode(path)),
    )
    return site
  })

  /** The answer, and the only question, if any. */
  const play = async (
    target: string,
    headers: readonly string[] = [`User-Agent: ${newViewer()}`],
    host?: string,
  ): Promise<ClientAnswer & { readonly asked: Asked | undefined }> => {
    let answer: ClientAnswer | undefined
    const [asked, ...more] = await questionsDuring(site.backend, async () => {
      const all = { port: site.nginx.port, target, headers }
      answer = await request(host === undefined ? all : { ...all, host: `Host: ${host}` })
    })
    assert.deepEqual(more, [])
    return { ...(answer ?? assert.fail()), asked }
  }
  const targetOf = (query: string): string => `/auth?${query === '' ? OWN : `${query}&${OWN}`}`

  test('the path of the file that nginx serves', async () => {
    for (const [target, path] of paths) {
      const { body, asked } = await play(target)
      assert.equal(body, decode(path), `${target}: the served file`)
      assert.equal(asked?.headers['X-Real-Path'], path, target)
    }
  })

  test('nothing of a target that nginx refuses', async () => {
    for (const target of invalid) {
      const { status, asked } = await play(target)
      assert.deepEqual([status, asked], [400, undefined], target)
    }
  })

  test('the query, byte for byte', async () => {
    for (const [sent, query] of queries) {
      assert.equal((await play(`/plain.ts${sent}`)).asked?.target, targetOf(query), sent)
    }
    for (const place of ['http://localhost/plain.ts', 'http://localhost']) {
      const { asked } = await play(`${place}?a=%zz&b="/x"?`)
      assert.equal(asked?.target, targetOf('a=%zz&b="/x"?'), place)
    }
  })

  test("but none of the operator's names", async () => {
    for (const [sent, query] of pairsOf('?a=1&key=x&b=%zz&k=1&keys=3 a=1&b=%zz&keys=3  ?&a=1&& &a=1&&'))
      assert.equal((await play(`/plain.ts${sent}`)).asked?.target, targetOf(query), sent)
    assert.equal((await play('/plain.ts?key=x&k[b]=2')).asked?.target, targetOf(''))
  })

  test('path and query over HTTP/2, too', async (t) => {
    const viewer = await connectHttp2Viewer(t, site.nginx.tlsPort)
    const ask = async (target: string): Promise<Asked | undefined> => {
      const [asked] = await questionsDuring(site.backend, () =>
        viewer.request({ target, headers: { 'user-agent': newViewer() } }),
      )
      return asked
    }
    for (const [target, path] of paths.filter(([target]) => /^\/[\x21-\x7e]*$/.test(target)))
      assert.equal((await ask(target))?.headers['X-Real-Path'], path)
    for (const query of untouched) assert.equal((await ask(`/plain.ts?${query}`))?.target, targetOf(query))
  })

  test('the User-Agent', async () => {
    for (const [sent, arrives] of userAgents) {
      // The playback id makes the viewer new.
      const { asked } = await play('/plain.ts', [
        `User-Agent: ${sent}`,
        `X-Playback-Session-Id: ${newViewer()}`,
      ])
      assert.equal(asked?.headers['X-Real-Ua'], arrives, sent)
    }
    const { asked } = await play('/plain.ts', [`X-Playback-Session-Id: ${newViewer()}`])
    assert.equal(asked?.headers['X-Real-Ua'], '', 'no User-Agent at all')
  })

  test('the Host, or it is refused', async () => {
    for (const [host, origin] of hosts) {
      const { asked } = await play('/plain.ts', undefined, host)
      assert.equal(asked?.headers['X-Real-Origin'], origin, host)
    }
    for (const [expected, all] of Object.entries(refusedHosts)) {
      for (const host of all) {
        const { status, asked } = await play('/plain.ts', undefined, host)
        assert.deepEqual([status, asked], [Number(expected), undefined], host)
      }
    }
  })
})
