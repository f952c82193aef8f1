import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { before, describe } from 'node:test'
import tls from 'node:tls'
import { startBackend } from '../support/backend.ts'
import { type Authority, makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { meetOutage, opposite, RECOVERY, startFaultSite, unknown, variants } from '../support/fault-site.ts'
import { patientTest } from '../support/patient-test.ts'
import { pretendDns, v4 } from '../support/pretend-dns.ts'
import { rounds } from '../support/rounds.ts'
import { type Scope, suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { type Handshake, startTlsFront } from '../support/tls-front.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const OURS = 'DNS:localhost,IP:127.0.0.1'

/** Each fault once; in `npm run test:long` over each way and with each default action. */
const setups = variants.slice(0, rounds(1, variants.length))

/** Allows `token=good` alone. */
const judge: RequestListener = ({ url = '' }, response) => {
  response.writeHead(url.includes('token=good') ? 200 : 403).end()
}

/** Makes this process trust one authority alone, as NODE_EXTRA_CA_CERTS would add it at the start. */
function trust(scope: Scope, { file }: Authority): void {
  const real = tls.connect
  const secureContext = tls.createSecureContext({ ca: readFileSync(file) })
  Object.assign(tls, { connect: (options: tls.ConnectionOptions) => real({ ...options, secureContext }) })
  scope.after(() => void Object.assign(tls, { connect: real }))
}

describe('faults of TLS', { concurrency: 4 }, () => {
  const scope = suiteScope()
  const handshakes: Partial<Record<string, Handshake>> = {}
  before(() => {
    const folder = makeTemporaryFolder(scope)
    const known = makeAuthority(folder, 'known')
    trust(scope, known)
    handshakes['good'] = { kind: 'tls', with: known.issue(OURS) }
    handshakes['expired'] = { kind: 'tls', with: known.issue(OURS, 'expired') }
    handshakes['another host'] = { kind: 'tls', with: known.issue('DNS:other.example.com') }
    handshakes['itself'] = { kind: 'tls', with: makeSelfSigned(folder, OURS) }
    handshakes['unknown'] = { kind: 'tls', with: makeAuthority(folder, 'unknown').issue(OURS) }
    handshakes['old'] = { kind: 'old', with: known.issue(OURS) }
    handshakes['plain'] = { kind: 'plain' }
    handshakes['alert'] = { kind: 'alert' }
    handshakes['silent'] = { kind: 'silent' }
  })
  const handshake = (name: string): Handshake => {
    const found = handshakes[name]
    assert.ok(found !== undefined, name)
    return found
  }

  const faults: readonly [what: string, name: string, reason: RegExp][] = [
    ['has an expired certificate', 'expired', /-tls$/],
    ['has the certificate of another host', 'another host', /-tls$/],
    ['has a certificate that vouches for itself', 'itself', /-tls$/],
    ['has a certificate of an unknown authority', 'unknown', /-tls$/],
    ['knows old versions of TLS alone', 'old', /-tls$/],
    ['speaks HTTP without TLS', 'plain', /-tls$/],
    ['ends the handshake with an alert', 'alert', /-tls$/],
    ['is silent in the handshake', 'silent', /-timeout$/],
  ]
  for (const [what, name, reason] of faults) {
    for (const setup of setups) {
      patientTest(
        `a backend that suddenly ${what}: the default action; gate over ${setup.way}, DEFAULT_ACTION=${setup.defaultAction}`,
        async (t) => {
          const front = await startTlsFront(t, handshake('good'), judge)
          const url = `https://127.0.0.1:${front.port}/auth`
          const site = await startFaultSite(t, url, { ...setup, short: true })
          await meetOutage(t, site, {
            async begin() {
              front.meet(handshake(name))
              return async () => front.meet(handshake('good'))
            },
            open: front.open,
            reason,
          })
        },
      )
    }
  }
})

patientTest(
  'a resolver that does not work at the start: the default action, over TCP and a Unix socket; real verdicts 5 s after it does',
  async (t) => {
    const resolver = pretendDns(t, 'broken')
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    let newcomers = 9
    const sites = await Promise.all(
      variants.map((setup) => startFaultSite(t, `http://backend.example:${backend.port}/auth`, setup)),
    )
    for (const { ask, defaultAction } of sites) {
      const { verdict, source, reason } = await ask(unknown(defaultAction))
      assert.deepEqual([verdict, source, reason], [defaultAction, 'default', 'unavailable-dns'])
    }
    resolver.says = [v4('127.0.0.1')]
    await Promise.all(
      sites.map(async ({ ask, defaultAction, lines }) => {
        const expected = opposite(defaultAction)
        const isReal = async (): Promise<boolean> => (await ask(unknown(defaultAction))).verdict === expected
        await until('a real verdict', isReal, RECOVERY)
        await until('the log line', async () => {
          await ask(unknown(defaultAction, `192.0.2.${++newcomers}`))
          return lines('backend available again').length > 0
        })
        assert.equal(lines('backend unavailable').length, 1)
      }),
    )
  },
)
