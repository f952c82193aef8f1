import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { askAdmin, errorOf, startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { startGate } from '../support/gate.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { wordsOf } from '../support/words.ts'

const token = 'f3c9b1a2-secret-of-the-operator'
const bearer = { Authorization: `Bearer ${token}` }

/** What needs the token, and the answer with the token. */
const guarded: readonly (readonly [what: string, status: number])[] = [
  ['GET /metrics', 200],
  ['HEAD /metrics', 200],
  ['GET /sessions', 200],
  ['GET /sessions/none', 404],
  ['GET /denials', 200],
  ['GET /explain?denial=7', 404],
  ['GET /explain?url=http://live.example.com/a', 200],
  ['HEAD /events', 200],
  ['GET /nothing', 404],
  ['GET /%2e%2e/package.json', 404],
  ['GET /.env', 404],
  ['PUT /sessions', 405],
  ['OPTIONS /sessions', 405],
  ['OPTIONS *', 404],
  ['DELETE /sessions/none', 404],
  ['DELETE /sessions', 400],
  ['DELETE /sessions?user=nobody', 200],
]

/** Headers that do not let a request in. */
const wrong: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: {},
  empty: { Authorization: '' },
  'the scheme alone': { Authorization: 'Bearer' },
  'another scheme': { Authorization: `Basic ${token}` },
  'the token alone': { Authorization: token },
  'one letter less': { Authorization: `Bearer ${token.slice(0, -1)}` },
  'one letter more': { Authorization: `Bearer ${token}x` },
  'another last letter': { Authorization: `Bearer ${token.slice(0, -1)}x` },
  'other capitals': { Authorization: `Bearer ${token.toUpperCase()}` },
  'twice the token': { Authorization: `Bearer ${token} ${token}` },
  'in quotes': { Authorization: `Bearer "${token}"` },
  'very long': { Authorization: `Bearer ${'x'.repeat(8000)}` },
  'in another header': { 'X-Admin-Token': token, Cookie: `token=${token}` },
}

describe('with ADMIN_TOKEN', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const site = forSuite((scope) => startAdminGate(scope, { BACKEND_URL: backend.url, ADMIN_TOKEN: token }))

  for (const [what, status] of guarded) {
    test(`${what} answers only to who has it`, async () => {
      const { admin } = site
      for (const [name, headers] of Object.entries(wrong)) {
        const answer = await admin(what, headers)
        assert.equal(answer.status, 401, `${name}: ${answer.body}`)
        assert.equal(answer.headers['www-authenticate'], 'Bearer', name)
        if (!what.startsWith('HEAD'))
          assert.match(
            errorOf(answer),
            /Authorization: Bearer.*ADMIN_TOKEN|ADMIN_TOKEN.*Authorization: Bearer/,
          )
      }
      assert.equal((await admin(what, bearer)).status, status)
      assert.equal((await admin(what, { Authorization: `bearer  ${token}` })).status, status)
    })
  }

  test('in the query it does not let in', async () => {
    for (const name of ['token', 'access_token', 'ADMIN_TOKEN'])
      assert.equal((await site.admin(`GET /sessions?${name}=${token}`)).status, 401)
  })

  test('a close without it closes nothing', async () => {
    const { sessionId } = await askGate(site.gate.port, { uri: '/kept/index.m3u8?token=1' })
    for (const what of [`DELETE /sessions/${sessionId}`, 'DELETE /sessions?address=192.0.2.1']) {
      for (const headers of Object.values(wrong)) assert.equal((await site.admin(what, headers)).status, 401)
    }
    assert.equal((await site.admin(`GET /sessions/${sessionId}`, bearer)).status, 200)
    assert.equal((await site.admin(`DELETE /sessions/${sessionId}`, bearer)).status, 204)
  })

  test('an explanation without it asks the backend nothing', async () => {
    const before = backend.asked.length
    assert.equal((await site.admin('GET /explain?url=http://live.example.com/a')).status, 401)
    assert.equal(backend.asked.length, before)
  })

  test('health and the page are open, and tell nothing', async () => {
    assert.deepEqual((await site.admin('GET /healthz')).json, { alive: true })
    for (const headers of Object.values(wrong)) {
      assert.deepEqual((await site.admin('GET /readyz', headers)).json, { ready: true, reasons: [] })
    }
    const { json } = await site.admin('GET /readyz', bearer)
    assert.equal(
      Object.keys(json as object)
        .slice(0, 4)
        .join(' '),
      'ready reasons defaultAction backends',
    )
    const page = await site.admin('GET /')
    assert.equal(page.status, 200)
    assert.match(page.headers['content-type'] ?? '', /^text\/html/)
  })

  test('the name of the host does not matter', async () => {
    for (const host of ['gate.example.com', 'gate.example.com:9181', 'localhost', '192.0.2.1:9181'])
      assert.equal((await site.admin('GET /sessions', { ...bearer, Host: host })).status, 200)
  })

  test('other websites are refused all the same', async () => {
    const headers = { ...bearer, Host: 'gate.example.com', Origin: 'https://evil.example.com' }
    assert.equal((await site.admin('GET /sessions', headers)).status, 403)
    assert.equal(
      (await site.admin('GET /sessions', { ...bearer, 'Sec-Fetch-Site': 'cross-site' })).status,
      403,
    )
  })

  test('it stands in no answer and in no line of the log', async () => {
    for (const headers of [bearer, ...Object.values(wrong)]) {
      for (const [what] of guarded) {
        const { body, headers: answered } = await site.admin(what, headers)
        assert.ok(
          !body.includes(token.slice(0, -1)) && !JSON.stringify(answered).includes(token.slice(0, -1)),
          what,
        )
      }
    }
    assert.ok(!site.gate.logText().includes(token.slice(0, -1)))
  })
})

test('tokens are compared by their hashes, in constant time', () => {
  const source = readFileSync(new URL('../../src/admin/guard.ts', import.meta.url), 'utf8')
  assert.match(source, /timingSafeEqual\(digest\(given\), expected\)/)
  assert.match(source, /expected = token === undefined \? undefined : digest\(token\)/)
  assert.match(source, /hash\('sha256', text, 'buffer'\)/)
  // The given token and the right one are compared nowhere else.
  assert.doesNotMatch(source, /(?:given|token|authorization) (?:!==|===) (?!undefined)/)
})

describe('without ADMIN_TOKEN', () => {
  const site = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    const site = await startAdminGate(scope, { BACKEND_URL: backend.url })
    return site
  })

  for (const host of wordsOf(`
    127.0.0.1 127.0.0.1:9181 localhost LocalHost:9181 [::1] [::1]:9181 [0:0:0:0:0:0:0:1]:9181
    [2001:DB8::7]:80 127.0.0.2:9181 192.0.2.7:80`))
    test(`Host: ${host} is answered`, async () => {
      for (const what of ['GET /sessions', 'GET /metrics', 'HEAD /events'])
        assert.equal((await site.admin(what, { Host: host })).status, 200)
    })

  const foreign = wordsOf(`
    evil.example.com evil.example.com:9181 localhost.evil.example.com 127.0.0.1.evil.example.com evil.localhost
    localhost: 127.0.0.1@evil.example.com 127.1 0x7f000001 2130706433 [::1]evil [evil] ::1`)
  for (const host of [...foreign, 'a b'])
    test(`Host: ${host} may be another's name for this machine, and is refused`, async () => {
      const asked = ['GET /sessions', 'GET /metrics', 'GET /explain?url=http://a/b', 'GET /x']
      for (const what of [...asked, 'DELETE /sessions?user=1']) {
        const answer = await site.admin(what, { Host: host })
        assert.equal(answer.status, 403, what)
        assert.match(errorOf(answer), /IP address or localhost.*ADMIN_TOKEN/)
      }
      assert.equal((await site.admin('GET /healthz', { Host: host })).status, 200)
      assert.deepEqual((await site.admin('GET /readyz', { Host: host })).json, { ready: true, reasons: [] })
    })

  describe('a host by which browsers reach this machine without telling who asks is refused, in every spelling:', () => {
    const spellings = wordsOf(`
      0.0.0.0 0 00 0x0 0X0 0.0 0.0.0 0x0.0x0.0x0.0x0 000.000.000.000 0.0.0.0. .0.0.0.0 [::] [::0] [0::]
      [0::0] [0:0:0:0:0:0:0:0] [0000:0000:0000:0000:0000:0000:0000:0000] [::0:0] [::0.0.0.0]
      [0:0:0:0:0:0:0.0.0.0] [::ffff:0:0] [::FFFF:0:0] [::fFfF:0.0.0.0] [::ffff:0000:0000]
      [0:0:0:0:0:ffff:0:0] [0::ffff:0:0] [::%lo] [::%25lo] [::ffff:0:0%lo] [::.] [::]] [[::] ::
      [0.0.0.0] [] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:FFFF:7F00:0001] [::ffff:192.0.2.7]
      [::ffff:0:0 ::ffff:0:0 [::ffff:0.0.0.0.] [::ffff:0x0.0.0.0]`)
    for (const spelling of spellings) {
      test(spelling, async () => {
        for (const host of [spelling, `${spelling}:80`, `${spelling}:9181`, `${spelling}:`]) {
          const { status } = await site.admin('GET /sessions', { Host: host })
          assert.equal(status, 403, host)
        }
      })
    }
  })

  for (const [who, headers] of Object.entries<Readonly<Record<string, string>>>({
    'a page of another site': { 'Sec-Fetch-Site': 'cross-site' },
    'a page of a neighbour': { 'Sec-Fetch-Site': 'same-site' },
    'something new': { 'Sec-Fetch-Site': 'who-knows' },
    'another origin': { Origin: 'https://evil.example.com' },
    'another port': { Host: '127.0.0.1:9181', Origin: 'http://127.0.0.1:9182' },
    'another name of this machine': { Host: '127.0.0.1:9181', Origin: 'http://localhost:9181' },
    'a sandbox': { Origin: 'null' },
    'no URL': { Origin: 'evil' },
  })) {
    test(`a request of ${who} is refused`, async () => {
      const asked = ['GET /sessions', 'GET /metrics', 'GET /explain?url=http://a/b']
      for (const what of [...asked, 'DELETE /sessions?address=192.0.2.1']) {
        const answer = await site.admin(what, { Host: '127.0.0.1', ...headers })
        assert.equal(answer.status, 403, what)
        assert.match(errorOf(answer), /another website.*; open this address by itself/)
      }
    })
  }

  for (const [what, headers] of Object.entries<Readonly<Record<string, string>>>({
    'the page itself': { 'Sec-Fetch-Site': 'same-origin' },
    'the page itself, with its origin': { Host: 'LOCALHOST:9181', Origin: 'http://localhost:9181' },
    'the address bar': { 'Sec-Fetch-Site': 'none' },
    'a program': {},
  })) {
    test(`a request of ${what} is answered`, async () => {
      assert.equal((await site.admin('GET /sessions', { Host: '127.0.0.1', ...headers })).status, 200)
    })
  }

  test('a request without a Host is refused', async () => {
    for (const host of ['', 'Host:']) {
      const { status } = await request({
        port: site.adminPort,
        target: '/sessions',
        version: 'HTTP/1.0',
        host,
      })
      assert.equal(status, 403)
    }
  })

  test('a link on another site leads to the page, which holds no data', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
    assert.equal((await site.admin('GET /', headers)).status, 200)
  })

  test('browsers get no permission for other sites, whatever they ask for', async () => {
    const origin = { Origin: 'https://evil.example.com' }
    const preflight = {
      ...origin,
      'Access-Control-Request-Method': 'DELETE',
      'Access-Control-Request-Headers': 'authorization',
    }
    for (const [what, headers] of [
      ['OPTIONS /sessions', preflight],
      ['OPTIONS /sessions/none', preflight],
      ['OPTIONS /', preflight],
      ['OPTIONS /healthz', preflight],
      ['GET /sessions', origin],
      ['GET /', origin],
      ['GET /readyz', origin],
      ['GET /sessions', {}],
    ] as const) {
      const answer = await site.admin(what, headers)
      if (what.startsWith('OPTIONS')) assert.ok([403, 405].includes(answer.status), what)
      const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))
      assert.deepEqual(names, [], what)
      assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
    }
  })
})

describe('on a Unix socket', () => {
  for (const ADMIN_TOKEN of [undefined, token]) {
    test(`the rules are the same, ${ADMIN_TOKEN === undefined ? 'without' : 'with'} ADMIN_TOKEN`, async (t) => {
      const backend = await startBackend(t)
      const socketPath = join(makeTemporaryFolder(t), 'admin.sock')
      await startGate(t, { BACKEND_URL: backend.url, ADMIN_LISTEN: `unix:${socketPath}`, ADMIN_TOKEN })
      const statusOf = async (headers: Readonly<Record<string, string>>): Promise<number> =>
        (await askAdmin({ socketPath }, 'GET /sessions', headers)).status
      const local = { Host: 'localhost' }
      assert.equal(await statusOf(local), ADMIN_TOKEN === undefined ? 200 : 401)
      assert.equal(await statusOf({ ...local, ...bearer }), 200)
      assert.equal(
        await statusOf({ Host: 'gate.example.com', ...bearer }),
        ADMIN_TOKEN === undefined ? 403 : 200,
      )
      assert.equal(await statusOf({ ...local, ...bearer, 'Sec-Fetch-Site': 'cross-site' }), 403)
      assert.equal((await askAdmin({ socketPath }, 'GET /healthz', { Host: 'x' })).status, 200)
    })
  }
})
