import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { before, describe } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import {
  type Authority,
  type KeyAndCertificate,
  makeAuthority,
  makeSelfSigned,
} from '../support/certificates.ts'
import { type GateProcess, startGateProcess } from '../support/gate-process.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { startTlsBackend } from '../support/tls-backend.ts'

const ours = 'DNS:localhost,IP:127.0.0.1'

describe('a backend behind https://', () => {
  const scope = suiteScope()
  let known: Authority
  let unknown: Authority
  let folder: string
  before(() => {
    folder = makeTemporaryFolder(scope)
    known = makeAuthority(folder, 'known')
    unknown = makeAuthority(folder, 'unknown')
  })

  /**
   * The default action is not the verdict that a hole in the check would give: the backend allows everything.
   */
  const start = (
    t: Attempt,
    url: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<GateProcess> =>
    startGateProcess(t, {
      BACKEND_URL: url,
      BACKEND_TIMEOUT: '1s',
      DEFAULT_ACTION: 'deny',
      NODE_EXTRA_CA_CERTS: known.file,
      ...environment,
    })

  for (const host of ['localhost', '127.0.0.1']) {
    patientTest(`gives its verdict when its certificate is valid for ${host}`, async (t) => {
      const backend = await startTlsBackend(t, known.issue(ours))
      const { port } = await start(t, `https://${host}:${backend.port}/auth`)
      assert.equal((await askGate(port)).reason, 'backend-200')
      assert.equal(backend.asked(), 1)
    })
  }

  const unacceptable: [string, string, () => KeyAndCertificate][] = [
    ['has expired', 'localhost', () => known.issue(ours, 'expired')],
    ['is for another host', 'localhost', () => known.issue('DNS:other.example.com')],
    ['is for another address', '127.0.0.1', () => known.issue('IP:192.0.2.1,DNS:127.0.0.1')],
    ['vouches for itself', 'localhost', () => makeSelfSigned(folder, ours)],
    ['is from an unknown authority', 'localhost', () => unknown.issue(ours)],
  ]
  const environments: [string, Readonly<Record<string, string>>][] = [
    ['', {}],
    [', even with NODE_TLS_REJECT_UNAUTHORIZED=0', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
  ]
  for (const [flaw, host, make] of unacceptable) {
    for (const [even, environment] of environments) {
      patientTest(`is unavailable and never asked when its certificate ${flaw}${even}`, async (t) => {
        const backend = await startTlsBackend(t, make())
        const { port, main } = await start(t, `https://${host}:${backend.port}/auth`, environment)
        const first = await askGate(port, { userAgent: 'first' })
        assert.deepEqual([first.status, first.source, first.reason], [403, 'default', 'unavailable-tls'])
        const second = await askGate(port, { userAgent: 'second' })
        assert.equal(second.reason, 'unavailable-tls', 'a resumed handshake is no way around the check')
        assert.equal(backend.asked(), 0)
        assert.ok(backend.connections() > 0, 'it was connected to')
        assert.doesNotMatch(main.stdout(), /internal error/)
      })
    }
  }

  patientTest('is unavailable when the two have no version of TLS in common', async (t) => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const backend = await startTlsBackend(t, { ...known.issue(ours), ...old })
    const { port } = await start(t, `https://localhost:${backend.port}/auth`)
    assert.equal((await askGate(port)).reason, 'unavailable-tls')
    assert.equal(backend.asked(), 0)
  })

  patientTest('is unavailable when it wants a certificate of ours', async (t) => {
    const backend = await startTlsBackend(t, {
      ...known.issue(ours),
      requestCert: true,
      rejectUnauthorized: true,
    })
    const { port } = await start(t, `https://localhost:${backend.port}/auth`)
    const { source } = await askGate(port)
    assert.equal(source, 'default')
    assert.equal(backend.asked(), 0)
  })

  patientTest('is given up at the deadline when it does not answer the handshake', async (t) => {
    const backend = await startRawBackend(t, () => {})
    const { port } = await start(t, `https://127.0.0.1:${backend.port}/auth`)
    const { reason, took } = await askGate(port)
    assert.equal(reason, 'unavailable-timeout')
    assert.ok(took > 980 && took < 1500, `answered after ${took} ms`)
  })

  for (const [what, bytes] of [
    ['speaks HTTP without TLS', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    // Level fatal, `unrecognized_name` (RFC 6066, section 3).
    ['ends the handshake with an alert', '\x15\x03\x03\x00\x02\x02\x70'],
  ] as const)
    patientTest(`is unavailable when it ${what}`, async (t) => {
      const server = createServer((socket) => socket.on('error', () => {}).end(bytes, 'latin1'))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => void server.close())
      const { port } = server.address() as AddressInfo
      const gate = await start(t, `https://127.0.0.1:${port}/auth`)
      assert.equal((await askGate(gate.port)).reason, 'unavailable-tls')
    })

  patientTest('in failover, one with a bad certificate hands the question on', async (t) => {
    const bad = await startTlsBackend(t, unknown.issue(ours))
    const good = await startTlsBackend(t, known.issue(ours))
    const urls = [bad, good].map((backend) => `https://localhost:${backend.port}/auth`)
    const { port } = await start(t, urls.join(' '))
    assert.equal((await askGate(port)).reason, 'backend-200')
    assert.deepEqual([bad.asked(), good.asked()], [0, 1])
  })
})
