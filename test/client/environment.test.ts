import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { makeAuthority } from '../support/certificates.ts'
import { startGate } from '../support/gate.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { startTlsBackend } from '../support/tls-backend.ts'

describe('a proxy in the environment', () => {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']

  /** Proxy settings that lead to a server which counts its connections. */
  async function startProxy(
    t: TestContext,
  ): Promise<{ environment: Record<string, string>; connections(): number }> {
    const proxy = await startRawBackend(t, (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    )
    const environment = Object.fromEntries(names.map((name) => [name, proxy.url]))
    return { environment: { ...environment, NODE_USE_ENV_PROXY: '1' }, connections: proxy.connections }
  }

  test('is not used for an http:// backend', async (t) => {
    const proxy = await startProxy(t)
    const backend = await startBackend(t)
    const { port } = await startGateProcess(t, { BACKEND_URL: backend.url, ...proxy.environment })
    assert.equal((await askGate(port)).reason, 'backend-200')
    assert.deepEqual([backend.asked.length, proxy.connections()], [1, 0])
  })

  test('is not used for an https:// backend', async (t) => {
    const proxy = await startProxy(t)
    const authority = makeAuthority(makeTemporaryFolder(t), 'known')
    const backend = await startTlsBackend(t, authority.issue('DNS:localhost'))
    const { port } = await startGateProcess(t, {
      BACKEND_URL: `https://localhost:${backend.port}`,
      NODE_EXTRA_CA_CERTS: authority.file,
      ...proxy.environment,
    })
    assert.equal((await askGate(port)).reason, 'backend-200')
    assert.deepEqual([backend.asked(), proxy.connections()], [1, 0])
  })

  test('is not asked in the place of a backend that refuses the connection', async (t) => {
    const proxy = await startProxy(t)
    const { port } = await startGateProcess(t, { BACKEND_URL: 'http://127.99.9.9:9', ...proxy.environment })
    assert.equal((await askGate(port)).reason, 'unavailable-refused')
    assert.equal(proxy.connections(), 0)
  })
})

describe('what reaches the backend', () => {
  /** Names in lower case, as they came, values as they came. */
  const headersOf = (backend: Backend): Record<string, string> =>
    Object.fromEntries(
      Object.entries(backend.asked[0]?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )

  test('is exactly Host, Accept, the five headers and the connection header', async (t) => {
    const backend = await startBackend(t)
    const gate = await startGate(t, { BACKEND_URL: `${backend.url}/auth` })
    const { sessionId } = await askGate(gate.port, { uri: '/channel/index.m3u8?token=1', userAgent: 'VLC/3' })
    assert.deepEqual(headersOf(backend), {
      host: `127.0.0.1:${backend.port}`,
      connection: 'keep-alive',
      accept: '*/*',
      'x-session-id': sessionId,
      'x-real-ip': '192.0.2.1',
      'x-real-path': '/channel/index.m3u8',
      'x-real-origin': 'http://live.example.com',
      'x-real-ua': 'VLC/3',
    })
    assert.equal(backend.asked[0]?.method, 'GET')
  })

  const userAndPassword: [string, string][] = [
    ['user:password@', 'user:password'],
    ['user@', 'user:'],
    [':password@', ':password'],
    ['us%40er:p%3Aa%2Fs%20s@', 'us@er:p:a/s s'],
    ['j%C3%BCrgen:gr%C3%BCn@', 'jürgen:grün'],
  ]
  for (const [written, meant] of userAndPassword) {
    test(`${written} in BACKEND_URL arrives as Basic authorization`, async (t) => {
      const backend = await startBackend(t)
      const gate = await startGate(t, { BACKEND_URL: backend.url.replace('//', `//${written}`) })
      assert.equal((await askGate(gate.port)).reason, 'backend-200')
      const headers = headersOf(backend)
      assert.equal(headers['authorization'], `Basic ${Buffer.from(meant).toString('base64')}`)
      assert.equal(headers['host'], `127.0.0.1:${backend.port}`)
    })
  }
})

describe('connections to the backend', () => {
  test('an IPv6 address in brackets is a backend like another', async (t) => {
    const hosts: (string | undefined)[] = []
    const server = createServer((question, response) => {
      hosts.push(question.headers.host)
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const gate = await startGate(t, { BACKEND_URL: `http://[::1]:${port}/auth` })
    assert.equal((await askGate(gate.port)).reason, 'backend-200')
    assert.deepEqual(hosts, [`[::1]:${port}`])
  })

  const answers: [string, Backend['answer']][] = [
    ['no body', (_asked, response) => void response.end()],
    ['a body', (_asked, response) => void response.end('allowed')],
    [
      'a body in chunks',
      (_asked, response) => {
        response.write('allo')
        setTimeout(() => response.end('wed'), 20)
      },
    ],
    ['a deny with a page', (_asked, response) => void response.writeHead(403).end('x'.repeat(20_000))],
    ['no content', (_asked, response) => void response.writeHead(204).end()],
  ]
  for (const [what, answer] of answers) {
    test(`one serves many questions one after the other: ${what}`, async (t) => {
      const backend = await startBackend(t)
      const sockets = new Set<unknown>()
      let ended = 0
      backend.answer = (asked, response, question) => {
        sockets.add(question.socket)
        response.on('finish', () => ended++)
        answer(asked, response, question)
      }
      const gate = await startGate(t, { BACKEND_URL: backend.url })
      for (let viewer = 0; viewer < 5; viewer++) {
        await askGate(gate.port, { userAgent: `viewer-${viewer}` })
        // The verdict is out before the body has come to its end.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.deepEqual([backend.asked.length, ended, sockets.size], [5, 5, 1])
    })
  }
})
