import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { checkCertificate } from '../../src/check/backend/check-certificate.ts'
import type { Finding } from '../../src/check/finding.ts'
import { formatFindings, formatJson } from '../../src/check/report.ts'
import { startBackend, status } from '../support/backend.ts'
import { checkSite, startCheckedSite, textOf } from '../support/checked-site.ts'
import { configureNginx, type Edit } from '../support/configured-nginx.ts'

/** Clears a terminal, in both spellings; changes the direction of the text; ends a line. */
const hostile = '\x1b[2J\u009b2J\u202e\u200f\u061c\u2066\u2028\u0007'
const unprintable = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const inServer = (lines: string): Edit => [
  'site.conf',
  '    root /srv/media;',
  `    root /srv/media;\n    ${lines}`,
]

/** `shown` is how the finding of this name tells it. */
function assertPrintable(findings: readonly Finding[], name: string, shown: string): void {
  assert.ok(textOf(findings, name).includes(shown), textOf(findings, name))
  const text = formatFindings(findings, { colour: false, width: undefined })
  assert.doesNotMatch(text, unprintable)
  const json = formatJson(findings)
  assert.doesNotMatch(json, unprintable)
  assert.equal(json.indexOf('\n'), json.length - 1)
  JSON.parse(json)
}

describe('check prints nothing that moves the cursor or turns the writing, from', () => {
  const twice = `server { listen 39997; server_name "a${hostile}"; }\n`.repeat(2)
  const edited: readonly (readonly [what: string, edit: Edit, name: string, shown: string])[] = [
    [
      'a complaint of nginx',
      inServer(`"${hostile}" x;`),
      'nginx',
      'unknown directive "\\u001b[2J\\u009b2J\\u202e\\u200f\\u061c\\u2066',
    ],
    [
      'a warning of nginx',
      ['site.conf', 'server {\n', `${twice}server {\n`],
      'nginx',
      '"a\\u001b[2j\\u009b2j',
    ],
    [
      'the name of a location',
      inServer(`location "/hls/${hostile}" { }`),
      'nginx-locations',
      'location /hls/\\u001b[2J',
    ],
  ]
  for (const [what, edit, name, shown] of edited)
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { nginx: { edits: [edit] } })
      assertPrintable(await checkSite(environment), name, shown)
    })
  test('something else on the port of the gate', async (t) => {
    const { environment } = await startCheckedSite(t)
    const other = await startBackend(t)
    other.answer = status(200, { Server: '\u009b2Jx' })
    const LISTEN = `127.0.0.1:${other.port}`
    const PATH = await configureNginx(t, { gate: LISTEN })
    assertPrintable(await checkSite({ ...environment, LISTEN, PATH }), 'gate', '(\\u009b2Jx)')
  })

  test('something else on the admin listener', async (t) => {
    const { environment } = await startCheckedSite(t)
    const answer = {
      ready: true,
      reasons: [],
      defaultAction: hostile,
      backends: [{ name: hostile, state: 'available' }],
      byDefault: { letIn: hostile, refused: 0 },
    }
    const other = createServer((_request, response) => response.end(JSON.stringify(answer)))
    other.listen(0, '127.0.0.1')
    t.after(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const findings = await checkSite({ ...environment, ADMIN_LISTEN: `127.0.0.1:${port}` })
    assertPrintable(findings, 'running-settings', 'the running gate asks \\u001b[2J')
  })

  test('a redirect of the backend', async (t) => {
    const { environment, backend } = await startCheckedSite(t)
    backend.answer = status(302, { Location: 'http://portal.example.com/\u009b2J' })
    assertPrintable(
      await checkSite(environment),
      'backend-redirect',
      'BACKEND_URL=http://portal.example.com/%',
    )
  })

  test('a certificate', () => {
    const certificate = {
      subjectaltname: `DNS:${hostile}`,
      valid_from: hostile,
      valid_to: hostile,
    } as PeerCertificate
    const shown = { kind: 'shown', ms: 1, problem: 'ERR_TLS_CERT_ALTNAME_INVALID', certificate } as const
    assertPrintable([checkCertificate('a.example.com', shown, 0)], 'backend-certificate', 'is for \\u001b[2J')
  })
})

describe('check masks in what nginx says', () => {
  const secret: readonly (readonly [what: string, edit: Edit, name: string, shown: RegExp])[] = [
    [
      'the user and password of a URL',
      inServer('location /x/ { proxy_pass http://user:hunter2@127.0.0.1/; }'),
      'nginx',
      /invalid port in upstream "\*\*\*@127\.0\.0\.1\/"/,
    ],
    [
      'the parameters of a URL',
      inServer('http://a.example.com/?key=hunter2&b=hunter2;'),
      'nginx',
      /unknown directive "http:\/\/a\.example\.com\/\?key=\*\*\*&b=\*\*\*"/,
    ],
    [
      'the parameters of a proxy_pass',
      ['server.conf', 'http://alta_auth/auth;', 'http://alta_auth/auth?key=hunter2;'],
      'nginx-upstream',
      /asks http:\/\/alta_auth\/auth\?\*\*\*; the gate/,
    ],
  ]
  for (const [what, edit, name, shown] of secret)
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { nginx: { edits: [edit] } })
      const findings = await checkSite(environment)
      assert.match(textOf(findings, name), shown)
      assert.doesNotMatch(JSON.stringify(findings), /hunter2/)
    })
})
