import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { checkCertificate } from '../../src/check/backend/check-certificate.ts'
import {
  type Authority,
  type KeyAndCertificate,
  makeAuthority,
  makeSelfSigned,
} from '../support/certificates.ts'
import { readCheck } from '../support/run-check.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { startTlsBackend } from '../support/tls-backend.ts'

const ours = 'DNS:localhost,IP:127.0.0.1'

test('of a certificate with many names four are told', () => {
  const names = Array.from({ length: 100 }, (_, n) => `DNS:${n}.example.com`).join(', ')
  const certificate = {
    subjectaltname: names,
    valid_from: 'Jan  1 00:00:00 2026 GMT',
    valid_to: 'Jan  1 00:00:00 2027 GMT',
  } as PeerCertificate
  const shown = { kind: 'shown', ms: 1, problem: 'ERR_TLS_CERT_ALTNAME_INVALID', certificate } as const
  assert.equal(
    checkCertificate('a.example.com', shown, Date.UTC(2026, 1)).finding,
    'the certificate is for 0.example.com, 1.example.com, 2.example.com, 3.example.com and 96 more, not for a.example.com',
  )
})

describe('check finds in the certificate of a backend', () => {
  const scope = suiteScope()
  let known: Authority
  let folder: string
  before(() => {
    folder = makeTemporaryFolder(scope)
    known = makeAuthority(folder, 'known')
  })

  const cases: readonly (readonly [
    what: string,
    result: string,
    says: RegExp,
    make: () => KeyAndCertificate,
  ])[] = [
    [
      'nothing when it is good',
      'ok',
      /^valid for localhost until \d{4}-\d\d-\d\d, 1 day \(\d+ ms\)\n$/,
      () => known.issue('DNS:localhost'),
    ],
    [
      'that it has expired',
      'failed',
      /^the certificate expired on 2021-01-01\nrenew it/,
      () => known.issue(ours, 'expired'),
    ],
    [
      'that it expires soon',
      'warning',
      /^the certificate expires in one day, on .*\nrenew it now/,
      () => known.issue(ours, 'ending'),
    ],
    [
      'that it is for another host',
      'failed',
      /^the certificate is for other\.example\.com, not for localhost\n/,
      () => known.issue('DNS:other.example.com'),
    ],
    [
      'that it vouches for itself',
      'failed',
      /^nobody whom this machine trusts .*SELF_SIGNED.*\n.*NODE_EXTRA_CA_CERTS/,
      () => makeSelfSigned(folder, ours),
    ],
    [
      'that its authority is unknown',
      'failed',
      /^nobody whom this machine trusts .*UNABLE_TO_/,
      () => makeAuthority(folder, 'unknown').issue(ours),
    ],
  ]
  for (const [what, result, says, make] of cases) {
    // Whoever asks without checking is told what a check would find; for one fault, as the setting knows no faults.
    const unchecked = what.includes('vouches')
      ? [{ NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }]
      : []
    for (const even of [{}, ...unchecked]) {
      const also = 'NODE_TLS_REJECT_UNAUTHORIZED' in even ? ', even with NODE_TLS_REJECT_UNAUTHORIZED=0' : ''
      test(`${what}${also}`, async (t) => {
        const backend = await startTlsBackend(t, make())
        const { checks, code } = await readCheck(t, {
          BACKEND_URL: `https://localhost:${backend.port}/auth`,
          NODE_EXTRA_CA_CERTS: known.file,
          ...even,
        })
        const found = checks.find(({ name }) => name === 'backend-certificate')
        assert.equal(found?.result, result)
        assert.match(`${found?.finding}\n${found?.remedy ?? ''}`, says)
        assert.equal(code, 1, 'there is no gate')
        const answer = checks.find(({ name }) => name === 'backend-answer')
        assert.equal(answer?.result, result === 'failed' ? 'skipped' : 'ok')
        if (result === 'failed') assert.equal(backend.asked(), 0)
        else assert.ok(backend.asked() > 0)
      })
    }
  }

  test('that BACKEND_URL says http:// where the port speaks TLS', async (t) => {
    const backend = await startTlsBackend(t, known.issue(ours))
    const { checks } = await readCheck(t, { BACKEND_URL: `http://localhost:${backend.port}/auth` })
    const answer = checks.find(({ name }) => name === 'backend-answer')
    assert.deepEqual(
      [answer?.result, answer?.finding, answer?.remedy],
      ['failed', 'the port speaks TLS, but BACKEND_URL says http://', 'write https:// in BACKEND_URL'],
    )
  })
})
