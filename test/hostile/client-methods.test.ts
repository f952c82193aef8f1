import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { describe, test } from 'node:test'
import { type ClientAnswer, type ClientRequest, exchange, request } from '../support/client.ts'
import { connectHttp2Viewer, type Http2Request } from '../support/http2-viewer.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring } from '../support/site.ts'
import { startSiteWithOrigin } from '../support/site-with-origin.ts'

/** What a client sends to a file or to an origin, and what nginx answers when the backend allows it. */
interface Sent extends Partial<Omit<ClientRequest, 'port'>> {
  readonly status: number
  readonly answer?: string
  /** In front of the token. */
  readonly query?: string
}

const kilobytes = (count: number): string => 'x'.repeat(count * 1024)
const toOrigin = { target: '/origin/' }
const withBody = { ...toOrigin, body: 'abc', headers: ['Content-Length: 3'] }
const cookies = (lines: number, bytes: number): string[] =>
  Array.from({ length: lines }, (_, index) => `Cookie: c${index}=${'x'.repeat(bytes)}`)
const past = 'Thu, 01 Jan 1970 00:00:00 GMT'

/** Every method is tried by itself, see below. */
const requests: Readonly<Record<string, Sent>> = {
  GET: { status: 200, answer: '#EXTM3U\n' },
  HEAD: { method: 'HEAD', status: 200, answer: '' },
  'PUT of a file': { ...withBody, target: '/index.m3u8', method: 'PUT', status: 405 },
  'an unknown method': { method: 'BREW', status: 405 },
  POST: { ...withBody, method: 'POST', status: 200, answer: 'POST 3' },
  'POST without a body': { ...toOrigin, method: 'POST', headers: ['Content-Length: 0'], status: 200 },
  'POST of 100 KB': {
    ...{ ...toOrigin, method: 'POST', status: 200, answer: `POST ${100 * 1024}` },
    ...{ headers: [`Content-Length: ${100 * 1024}`], body: kilobytes(100) },
  },
  'chunked POST': {
    ...{ ...toOrigin, method: 'POST', status: 200, answer: 'POST 3' },
    ...{ headers: ['Transfer-Encoding: chunked'], body: '3\r\nabc\r\n0\r\n\r\n' },
  },
  'GET with a body': { ...withBody, status: 200, answer: 'GET 3' },
  'Expect: 100-continue with a body': {
    ...{ ...withBody, method: 'POST', status: 200, answer: 'POST 3' },
    headers: ['Content-Length: 3', 'Expect: 100-continue'],
  },
  'Expect: 100-continue without a body': { headers: ['Expect: 100-continue'], status: 200 },
  'an unknown Expect': { headers: ['Expect: 200-ok'], status: 200 },
  Range: { headers: ['Range: bytes=0-2'], status: 206, answer: '#EX' },
  'Range past the end': { headers: ['Range: bytes=100-'], status: 416 },
  'If-None-Match: *': { headers: ['If-None-Match: *'], status: 304, answer: '' },
  'If-None-Match with a tag': { headers: ['If-None-Match: "x"'], status: 200 },
  'If-Match with a tag': { headers: ['If-Match: "x"'], status: 412 },
  'If-Modified-Since': { headers: [`If-Modified-Since: ${past}`], status: 200 },
  'If-Unmodified-Since': { headers: [`If-Unmodified-Since: ${past}`], status: 412 },
  'Upgrade: websocket': { headers: ['Upgrade: websocket'], status: 200 },
  '20 KB of cookies in five lines': { headers: cookies(5, 4000), status: 200 },
  'a URI of nearly 8 KB': { target: `/${'x'.repeat(3900)}`, query: `${'x'.repeat(3900)}&`, status: 404 },
  'HTTP/1.0': { version: 'HTTP/1.0', status: 200 },
  'HTTP/1.0 without a Host': { version: 'HTTP/1.0', host: '', status: 200 },
}

/** nginx or the gate answers, whatever the backend would say. */
const refused: Readonly<Record<string, Sent>> = {
  '20 KB of cookies in one line': { headers: cookies(1, 20_000), status: 400 },
  '40 KB of cookies in ten lines': { headers: cookies(10, 4000), status: 400 },
  'a URI of more than 8 KB': { target: `/${kilobytes(8)}`, status: 414 },
  'no Host': { host: '', status: 400 },
  TRACE: { method: 'TRACE', status: 405 },
  CONNECT: { method: 'CONNECT', status: 405 },
  'a Content-Length that is no number': { method: 'POST', headers: ['Content-Length: x'], status: 400 },
  'HTTP/3.0': { version: 'HTTP/3.0', status: 505 },
  'a path of nearly 8 KB': { target: `/${'x'.repeat(8000)}`, status: 403 },
}

/** The same over HTTP/2: the status when it is allowed. */
const overHttp2: Readonly<Record<string, Partial<Http2Request> & { readonly status: number }>> = {
  HEAD: { method: 'HEAD', status: 200 },
  PUT: { ...toOrigin, method: 'PUT', body: 'abc', status: 200 },
  'POST of 100 KB': { ...toOrigin, method: 'POST', body: kilobytes(100), status: 200 },
  Range: { headers: { range: 'bytes=0-2' }, status: 206 },
  'If-None-Match: *': { headers: { 'if-none-match': '*' }, status: 304 },
  '20 KB of cookies': {
    headers: { cookie: Array.from({ length: 5 }, (_, index) => `c${index}=${'x'.repeat(4000)}`) },
    status: 200,
  },
  'a URI of nearly 8 KB': { target: `/${'x'.repeat(3900)}?${'x'.repeat(3900)}&`, status: 404 },
}

describe('whatever a client sends, the verdict counts', () => {
  const site = forSuite((scope) => startSiteWithOrigin(scope))
  const send = async ({ status: _status, answer: _answer, ...sent }: Sent, token: string) => {
    const { target = '/index.m3u8', query = '', headers = [], ...rest } = sent
    return afterContinue(
      await request({
        ...rest,
        port: site.nginx.port,
        target: `${target}?${query}token=${token}`,
        headers: [`User-Agent: ${newViewer()}`, ...headers],
      }),
    )
  }

  test('it is allowed and refused', async () => {
    for (const [what, sent] of Object.entries(requests)) {
      const { query = '' } = sent
      const asked = await questionsDuring(site.backend, async () => {
        const allowed = await send(sent, 'good')
        assert.equal(allowed.status, sent.status, what)
        if (sent.answer !== undefined) assert.equal(allowed.body, sent.answer, what)
        assert.equal((await send(sent, 'bad')).status, 403, what)
      })
      assert.deepEqual(
        asked.map(({ method, target }) => `${method} ${target}`),
        [`GET /auth?${query}token=good`, `GET /auth?${query}token=bad`],
      )
    }
  })

  test('over HTTP/2, too', async (t) => {
    const viewer = await connectHttp2Viewer(t, site.nginx.tlsPort)
    for (const [what, { status, target = '/index.m3u8?', ...sent }] of Object.entries(overHttp2)) {
      const ask = async (token: string): Promise<number> => {
        const headers = { 'user-agent': newViewer(), ...sent.headers }
        const path = `${target.includes('?') ? target : `${target}?`}token=${token}`
        return (await viewer.request({ ...sent, target: path, headers })).status
      }
      const asked = await questionsDuring(site.backend, async () => {
        assert.deepEqual([await ask('good'), await ask('bad')], [status, 403], what)
      })
      assert.equal(asked.length, 2, what)
    }
  })

  test('it is refused before anybody is asked', async () => {
    for (const [what, sent] of Object.entries(refused)) {
      const asked = await questionsDuring(site.backend, async () => {
        assert.equal((await send(sent, 'good')).status, sent.status, what)
      })
      assert.deepEqual(asked, [], what)
    }
  })

  /** nginx's own answers, before it asks anybody. */
  const refusedMethods: Readonly<Record<string, number>> = { TRACE: 405, CONNECT: 405, get: 400 }

  test('every method there is, to an origin: one GET to the backend, and its verdict', async (t) => {
    const overHttp2 = await connectHttp2Viewer(t, site.nginx.tlsPort)
    for (const method of [...METHODS, 'get']) {
      for (const [token, expected] of [
        ['good', 200],
        ['bad', 403],
      ] as const) {
        const answered = refusedMethods[method] ?? expected
        const asked = await questionsDuring(site.backend, async () => {
          const { status } = await send({ ...toOrigin, method, status: expected }, token)
          assert.equal(status, answered, `${method} ${token}`)
          // Node's client sends a CONNECT without a path.
          if (method === 'CONNECT' || method === 'get') return
          const headers = { 'user-agent': newViewer() }
          const { status: other } = await overHttp2.request({
            ...{ target: `/origin/?token=${token}`, method, headers },
          })
          assert.equal(other, answered, `${method} ${token} over HTTP/2`)
        })
        const question = `GET /auth?token=${token}`
        assert.deepEqual(
          asked.map((one) => `${one.method} ${one.target}`),
          method in refusedMethods ? [] : [question, question],
          method,
        )
      }
    }
  })

  test('pipelined requests get a verdict each', async () => {
    const agent = `Host: localhost\r\nUser-Agent: ${newViewer()}\r\n`
    const pipeline = ['good', 'bad', 'good', 'worse']
      .map((token) => `HEAD /index.m3u8?token=${token} HTTP/1.1\r\n${agent}\r\n`)
      .concat(`HEAD /index.m3u8?token=bad HTTP/1.1\r\n${agent}Connection: close\r\n\r\n`)
    const { head, body } = await exchange({ port: site.nginx.port }, Buffer.from(pipeline.join('')))
    const statuses = [...`${head}\r\n${body}`.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => match[1])
    assert.deepEqual(statuses, ['200', '403', '200', '403', '403'])
  })

  test('HTTP/0.9 gets the file or a refusal', async () => {
    const ask = (token: string): Promise<ClientAnswer> =>
      exchange({ port: site.nginx.port }, Buffer.from(`GET /index.m3u8?token=${token}\r\n`))
    assert.equal((await ask('good')).head, '#EXTM3U\n')
    assert.match((await ask('bad')).head, /403 Forbidden/)
  })

  test('the gate found nothing to refuse but a path that is too long', () => {
    const refused = site.gate.log.filter(({ reason }) => reason === 'bad-request')
    assert.deepEqual(
      refused.map(({ why }) => why),
      ['the path is longer than 4096 bytes'],
    )
  })
})

/** The final answer behind a `100 Continue`. */
function afterContinue(answer: ClientAnswer): ClientAnswer {
  if (answer.status !== 100) return answer
  const [head = '', ...body] = answer.body.split('\r\n\r\n')
  return { ...answer, status: Number(head.split(' ')[1]), head, body: body.join('\r\n\r\n') }
}
