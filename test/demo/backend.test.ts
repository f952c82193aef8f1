import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { createExampleBackend, type ExampleBackend } from '../../demo/example-backend.ts'
import { request } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { suiteScope } from '../support/scope.ts'

describe('the example backend of the demo', () => {
  const scope = suiteScope()
  const said: string[] = []
  let port = 0
  let backend: ExampleBackend
  before(async () => {
    port = await findFreePort()
    backend = createExampleBackend(port, (line) => said.push(line))
    scope.after(backend.stop)
    await backend.start()
  })
  const statusOf = async (target: string): Promise<number | undefined> =>
    (await request({ port, target })).status

  for (const query of ['token=123', 'token=%31%32%33', 'a=1&token=x&token=123&b=%']) {
    test(`allows ${query}`, async () => {
      assert.equal(await statusOf(`/auth?${query}`), 200)
    })
  }

  const others = [
    ...['', '?', '?token', '?token=', '?token=1234', '?Token=123', '?token[]=123', '?token=123&token=4'],
    ...['?token=123.0', '?token=0123', '?token=%20123', '?token=123%20', '?token=+123', '?token=123abc'],
    ...['?token=1.23e2', '?token=0x7b', '?token=123%00', '?token=%EF%BC%91%EF%BC%92%EF%BC%93'],
  ]
  for (const query of others) {
    test(`the token is compared as a string: ${query || 'no query'} is refused`, async () => {
      assert.equal(await statusOf(`/auth${query}`), 403)
    })
  }

  test('tells session id, address, path, origin and User-Agent of whom it allows, and of nobody else', async () => {
    said.length = 0
    const headers = ['Session-Id: abc', 'Real-Ip: 192.0.2.1', 'Real-Path: /live/a.m3u8']
    headers.push('Real-Origin: http://tv.example.com', 'Real-Ua: VLC/3.0.21 LibVLC')
    const asked = { port, headers: headers.map((header) => `X-${header}`) }
    await request({ ...asked, target: '/auth?token=124' })
    await request({ ...asked, target: '/auth?token=123' })
    assert.deepEqual(said, [
      'allowed session-id=abc real-ip=192.0.2.1 real-path=/live/a.m3u8 real-origin=http://tv.example.com real-ua=VLC/3.0.21 LibVLC',
    ])
  })

  test('a path that is no URL is refused like any other', async () => {
    assert.equal(await statusOf('//'), 403)
    assert.equal(await statusOf('//?token=123'), 200)
  })

  test('stopped, it refuses connections; started again, it answers', async () => {
    await backend.stop()
    await assert.rejects(statusOf('/auth?token=123'), { code: 'ECONNREFUSED' })
    await backend.start()
    assert.equal(await statusOf('/auth?token=123'), 200)
  })
})
