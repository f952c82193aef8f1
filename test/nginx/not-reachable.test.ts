import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'
import { createService } from '../../src/service/service.ts'
import { accepts } from '../support/accepts.ts'
import { request, requestHttp2 } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

const targets = wordsOf(`
  /_alta_auth /_alta_auth? /_alta_auth?token=123 /%5falta_auth /%5Falta%5fauth /%5f%61%6c%74%61%5f%61%75%74%68
  //_alta_auth /./_alta_auth /x/../_alta_auth /x/%2e%2e/_alta_auth /x%2f..%2f_alta_auth /_alta_auth#x http://localhost/_alta_auth
`)

describe('the auth location', () => {
  const site = forSuite((scope) => startSite(scope))

  for (const target of targets) {
    test(`is not found from outside: ${target}`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        const headers = [`User-Agent: ${newViewer()}`]
        for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
          assert.equal(
            (await request({ port: site.nginx.port, target, method, headers })).status,
            404,
            method,
          )
        }
      })
      assert.deepEqual(asked, [])
      assert.deepEqual(
        site.gate.log.filter(({ message }) => message === 'refused'),
        [],
      )
    })
  }

  test('is not found over HTTP/2', async () => {
    const asked = await questionsDuring(site.backend, async () => {
      assert.equal(await requestHttp2(site.nginx.tlsPort, '/_alta_auth?token=123'), 404)
    })
    assert.deepEqual(asked, [])
  })

  test('leaves its neighbours protected as any other path', async () => {
    site.backend.answer = (_asked, response) => void response.writeHead(403).end()
    for (const target of [
      '/_alta_auth/',
      '/_alta_auth/x',
      '/_alta_auth%20',
      '/_ALTA_AUTH',
      '/@alta_auth_on_failure',
    ]) {
      const headers = [`User-Agent: ${newViewer()}`]
      assert.equal((await request({ port: site.nginx.port, target, headers })).status, 403, target)
    }
  })
})

describe('the gate listens on the loopback only', () => {
  const result = readSettings({ BACKEND_URL: 'http://127.0.0.1:9/auth', ADMIN_LISTEN: 'off' })
  assert.ok(result.ok)
  const { settings } = result

  test('by default on 127.0.0.1:9180, and the admin side on 127.0.0.1:9181', () => {
    const both = readSettings({ BACKEND_URL: 'http://127.0.0.1:9/auth' })
    assert.ok(both.ok)
    assert.deepEqual(both.settings.listen, { kind: 'tcp', host: '127.0.0.1', port: 9180 })
    assert.deepEqual(both.settings.adminListen, { kind: 'tcp', host: '127.0.0.1', port: 9181 })
  })

  test('and nowhere else on the machine', async (t) => {
    assert.equal(settings.listen.kind, 'tcp')
    const silent = { error() {}, warn() {}, info() {}, debug() {}, debugs: false }
    const service = createService({ ...settings, listen: { ...settings.listen, port: 0 } }, silent)
    await service.start()
    t.after(() => service.stop())
    const { address, port } = service.gateServer.address() as AddressInfo
    assert.equal(address, '127.0.0.1')
    assert.equal(await accepts(port), true)
    for (const other of ['127.0.0.2', '::1']) assert.equal(await accepts(port, other), false, other)
  })
})
