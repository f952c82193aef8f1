import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { askGate, gateHeaders } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'
import { sendBytes } from '../support/send-bytes.ts'
import { wordsOf } from '../support/words.ts'

/** Everything that comes back for these bytes. */
async function exchangeRaw(port: number, bytes: string | Buffer): Promise<string> {
  const { text, isHung } = await sendBytes({ port, silence: 150 }, bytes)
  assert.ok(!isHung, text)
  return text
}

/** Only heads of 200 and 403, each without a body. */
function assertOnlyVerdicts(received: string): void {
  const heads = received.split('\r\n\r\n')
  assert.equal(heads.pop(), '', `something behind the last head: ${received}`)
  for (const head of heads) {
    assert.match(head, /^HTTP\/1\.1 (?:200 OK|403 Forbidden)\r\n/)
    assert.match(head, /^Content-Length: 0$/m)
    assert.match(head, /^X-Auth-Verdict: (?:allow|deny)$/m)
  }
}

const lines = gateHeaders({ uri: '/live/index.m3u8?token=1' })
const head = (first: string, ...more: string[]): string =>
  `${[first, 'Host: alta-auth', ...lines, ...more].join('\r\n')}\r\n\r\n`
const good = head('GET /auth HTTP/1.1')

const malformed: Readonly<Record<string, string | Buffer>> = {
  'no request at all, a line break': '\r\n\r\n\r\nx\r\n\r\n',
  'no method': ' /auth HTTP/1.1\r\n\r\n',
  'no target': head('GET HTTP/1.1'),
  'an empty target': head('GET  HTTP/1.1'),
  'a target with a space': head('GET /auth /auth HTTP/1.1'),
  'a target with raw bytes': head('GET /auth\xff\x80 HTTP/1.1'),
  'a target with a broken percent': head('GET /auth%zz%ff HTTP/1.1'),
  'a target with a broken IPv6 host': head('GET http://[::1/auth HTTP/1.1'),
  'a target of 200 KB': head(`GET /${'a'.repeat(200_000)} HTTP/1.1`),
  'the target *': head('OPTIONS * HTTP/1.1'),
  'HTTP/0.9': 'GET /auth\r\n\r\n',
  'HTTP/1.0': head('GET /auth HTTP/1.0'),
  'HTTP/1.2': head('GET /auth HTTP/1.2'),
  'HTTP/2 prior knowledge': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'HTTP/9.9': head('GET /auth HTTP/9.9'),
  'another protocol': 'GET /auth ICE/1.0\r\n\r\n',
  'no Host': `${['GET /auth HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`,
  'two Hosts': head('GET /auth HTTP/1.1', 'Host: b'),
  'a Host that is none': head('GET /auth HTTP/1.1').replace('Host: alta-auth', 'Host: a b\x80[/'),
  'line feeds without carriage returns': good.replaceAll('\r\n', '\n'),
  'a header without a colon': head('GET /auth HTTP/1.1', 'what is this'),
  'a header name with a space': head('GET /auth HTTP/1.1', 'X Real: 1'),
  'a header without a name': head('GET /auth HTTP/1.1', ': 1'),
  'a folded header': head('GET /auth HTTP/1.1', 'X-A: 1', ' 2'),
  'a header with a NUL': head('GET /auth HTTP/1.1', 'X-A: 1\x002'),
  'a header with control bytes': head('GET /auth HTTP/1.1', 'X-A: \x01\x7f\x1b'),
  'a header of 200 KB': head('GET /auth HTTP/1.1', `X-A: ${'a'.repeat(200_000)}`),
  '200 KB of headers': head(
    'GET /auth HTTP/1.1',
    ...Array.from({ length: 4_000 }, (_, n) => `X-${n}: ${'a'.repeat(40)}`),
  ),
  '5,000 short headers': head('GET /auth HTTP/1.1', ...Array.from({ length: 5_000 }, (_, n) => `X-${n}: 1`)),
  'Expect: 100-continue': head('GET /auth HTTP/1.1', 'Expect: 100-continue'),
  'Expect: 100-continue with a body': `${head('POST /auth HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 4')}body`,
  'Expect: something else': head('GET /auth HTTP/1.1', 'Expect: 200-ok'),
  'Upgrade: websocket': head(
    'GET /auth HTTP/1.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: a',
  ),
  'Upgrade: h2c': head(
    'GET /auth HTTP/1.1',
    'Upgrade: h2c',
    'Connection: Upgrade, HTTP2-Settings',
    'HTTP2-Settings: a',
  ),
  'If-None-Match, If-Modified-Since, Range': head(
    'GET /auth HTTP/1.1',
    'If-None-Match: *',
    'If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT',
    'If-Match: "a"',
    'Range: bytes=0-1',
  ),
  'a Content-Length that is no number': head('GET /auth HTTP/1.1', 'Content-Length: ten'),
  'a negative Content-Length': head('GET /auth HTTP/1.1', 'Content-Length: -1'),
  'a Content-Length past every bound': head('POST /auth HTTP/1.1', 'Content-Length: 99999999999999999999'),
  'two Content-Lengths': head('POST /auth HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'),
  'Content-Length and chunks': `${head('POST /auth HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  'chunks that are none': `${head('POST /auth HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n!!\r\n`,
  'chunks on a GET that are none': `${head('GET /auth HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n!!\r\n`,
  'an unknown Transfer-Encoding': `${head('POST /auth HTTP/1.1', 'Transfer-Encoding: gzip, wrong')}body`,
  'a body of 4 MB': `${head('POST /auth HTTP/1.1', 'Content-Length: 4194304')}${'a'.repeat(4_194_304)}`,
  'a body of 4 MB that is not announced': `${good}${'a'.repeat(4_194_304)}`,
  'a body that never comes': head('GET /auth HTTP/1.1', 'Content-Length: 10'),
  'three requests in one piece': good + good + good,
  'a request and garbage': `${good}\x00\x01\x02 what?\r\n\r\n`,
  'half a request': good.slice(0, good.length / 2),
  'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
  'an SSH greeting': 'SSH-2.0-OpenSSH_9.6\r\n',
  'a PROXY line': `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${good}`,
  'nothing but zeros': Buffer.alloc(4_096),
  CONNECT: head('CONNECT alta-auth:80 HTTP/1.1'),
  'not a byte': '',
}

describe('nothing but 200 and 403 leaves the gate, DEFAULT_ACTION=allow:', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const gate = forSuite((scope) =>
    startGate(scope, { BACKEND_URL: backend.url, DEFAULT_ACTION: 'allow', LOG_LEVEL: 'warn' }),
  )

  for (const [what, bytes] of Object.entries(malformed)) {
    test(what, async () => {
      const received = await exchangeRaw(gate.port, bytes)
      const mayBeSilent = ['CONNECT', 'not a byte'].includes(what)
      if (!mayBeSilent) assert.notEqual(received, '', 'no answer is a 500 for the viewer')
      assertOnlyVerdicts(received)
      assert.equal((await askGate(gate.port)).status, 200)
    })
  }

  const methods = wordsOf(`
    HEAD POST PUT PATCH DELETE OPTIONS TRACE PURGE PROPFIND MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH SUBSCRIBE
    NOTIFY SOURCE QUERY M-SEARCH GETX get BREW`)
  const targets = wordsOf(
    '/ /auth/ /AUTH //auth /auth/x /auth%20 /auth%2f /%61uth /auth;x /x/../auth /readyz *',
  )

  test('any request but GET /auth, and nobody is asked', async () => {
    const asked = backend.asked.length
    const starts = [
      ...methods.map((method) => `${method} /auth HTTP/1.1`),
      ...targets.map((target) => `GET ${target} HTTP/1.1`),
    ]
    for (const start of starts) {
      const received = await exchangeRaw(gate.port, head(start))
      assertOnlyVerdicts(received)
      const told =
        /^HTTP\/1\.1 403 .*X-Auth-Verdict: deny\r\nX-Auth-Source: gate\r\nX-Auth-Reason: bad-request\r\n/s
      assert.match(received, told, start)
    }
    assert.equal(backend.asked.length, asked)
  })

  test('a request that takes too long', async () => {
    // Node reports an error only after ten seconds, so the test reports it at once.
    const accepted = new Promise<Socket>((resolve) => gate.service.gateServer.once('connection', resolve))
    const answered = exchangeRaw(gate.port, good.slice(0, 20))
    const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    gate.service.gateServer.emit('clientError', late, await accepted)
    assert.match(await answered, /^HTTP\/1\.1 403 /)
  })

  test('and none of it was an error of ours', () => {
    assert.doesNotMatch(gate.logText(), /internal error/)
  })
})
