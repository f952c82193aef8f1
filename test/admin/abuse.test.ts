import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { type AdminGate, startAdminGate } from '../support/admin-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { request } from '../support/client.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

async function start(scope: Scope) {
  const backend = await startBackend(scope)
  const site = await startAdminGate(scope, { BACKEND_URL: backend.url })
  return { backend, site, port: site.gate.adminPort }
}

const statusOf = async (port: number, target: string, ...headers: string[]): Promise<number> =>
  (
    await request({
      port,
      target,
      host: `Host: 127.0.0.1:${port}`,
      headers: ['Connection: close', ...headers],
    })
  ).status

/** How many pages could listen now. */
async function places(port: number): Promise<number> {
  const sockets = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'))
  const statuses = await Promise.all(
    sockets.map(async (socket) => {
      socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      return bytes.toString('latin1').slice(9, 12)
    }),
  )
  for (const socket of sockets) socket.destroy()
  return statuses.filter((one) => one === '200').length
}

const faultsOf = ({ gate }: AdminGate): number => gate.log.filter(({ level }) => level === 'error').length

describe('whoever reaches the admin listener', () => {
  test('is not answered under an address at which browsers keep to themselves who asks', async (t) => {
    const { port } = await start(t)
    const byHost = async (host: string): Promise<number> =>
      (
        await request({
          port,
          target: '/sessions',
          host: `Host: ${host}:${port}`,
          headers: ['Connection: close'],
        })
      ).status
    assert.deepEqual(
      await Promise.all(['0.0.0.0', '[::]', '127.0.0.1', '[::1]', 'localhost'].map(byHost)),
      [403, 403, 200, 200, 200],
    )
  })

  test('is not answered when another website shows in Referer, as with browsers that say no more', async (t) => {
    const { port } = await start(t)
    assert.equal(await statusOf(port, '/sessions', 'Referer: http://evil.example/'), 403)
    assert.equal(await statusOf(port, '/sessions', 'Referer: http://127.0.0.1:1/'), 403)
    assert.equal(await statusOf(port, '/sessions', `Referer: http://127.0.0.1:${port}/`), 200)
  })

  test('cannot make the files of the page a fault of ours', async (t) => {
    const { site, port } = await start(t)
    for (const header of ['Range: bytes=99999999-', 'If-Match: "x"', 'If-Unmodified-Since: 0', 'Range: x'])
      for (const target of ['/', '/live-page.css'])
        assert.equal(await statusOf(port, target, header), 200, header)
    assert.equal(faultsOf(site), 0)
  })

  test('cannot fill a backend with explanations', async (t) => {
    const { backend, port } = await start(t)
    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    const explain = (n: number) =>
      statusOf(port, `/explain?url=${encodeURIComponent(`http://a/live/${n}.m3u8?token=1`)}`)
    const four = [1, 2, 3, 4].map(explain)
    await until('four questions', () => held.length === 4)
    assert.equal(await explain(5), 503)
    backend.answer = status(200)
    for (const response of held) response.end()
    assert.deepEqual(await Promise.all(four), [200, 200, 200, 200])
    assert.equal(await explain(6), 200)
  })

  test('cannot keep the places of the live page by asking for many on one connection', async (t) => {
    const { port } = await start(t)
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(40))
    await once(socket, 'data')
    socket.destroy()
    await until('all places to be free', async () => (await places(port)) === 32)
  })
})
