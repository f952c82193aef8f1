import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkAnswer } from '../../src/check/backend/check-answer.ts'
import { checkConnection } from '../../src/check/backend/check-connection.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import { findFreePort } from '../support/free-port.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import type { Scope } from '../support/scope.ts'

interface Broken {
  readonly what: string
  /** What the backend answers from now on. */
  readonly answer?: Backend['answer']
  /** Further settings, or others. */
  readonly settings?: (scope: Scope, backend: Backend) => Promise<Environment> | Environment
  readonly ahead?: number
  /** `failed backend-answer`; exactly these, and no other check finds a flaw. */
  readonly found: readonly string[]
  /** What the first of them says, and its remedy. */
  readonly says: RegExp
}

/** Denies after this many milliseconds. */
const slow =
  (ms: number): Backend['answer'] =>
  (_asked, response) =>
    void setTimeout(() => response.writeHead(403).end(), ms)

/** The gate of the site asks this same backend and reports that. Other checks look at it. */
const ofGate = /^(?:warning running-settings|failed default-action)$/

const broken: readonly Broken[] = [
  {
    what: 'settings that are not right, all of them',
    settings: () => ({ DENY_TTL: '5', ALLOW_TLL: '1m' }),
    found: ['failed settings', 'failed settings'],
    says: /^DENY_TTL=5 is not a time; .*\ncorrect it in the environment or in \.env/,
  },
  {
    what: 'a name without an address',
    // Too long for DNS, so no server is asked about it.
    settings: () => ({ BACKEND_URL: `http://${'a'.repeat(64)}/auth` }),
    found: ['failed backend-name'],
    says: /^a+ has no known address: .*\ncorrect the name in BACKEND_URL/,
  },
  {
    what: 'a port where nothing listens',
    settings: async () => ({ BACKEND_URL: `http://127.0.0.1:${await findFreePort()}/auth` }),
    found: ['failed backend-connection'],
    says: /^127\.0\.0\.1:\d+: nothing listens there\nis the backend running\?/,
  },
  {
    what: 'a backend that says nothing',
    settings: async (t) => ({
      BACKEND_URL: `${(await startRawBackend(t, () => {})).url}/auth`,
      BACKEND_TIMEOUT: '500ms',
    }),
    found: ['failed backend-answer'],
    says: /^no answer within 500 ms\nmake it faster, or raise BACKEND_TIMEOUT/,
  },
  {
    what: 'a backend that closes the connection',
    settings: async (t) => ({
      BACKEND_URL: `${(await startRawBackend(t, (socket) => void socket.end())).url}/auth`,
    }),
    found: ['failed backend-answer'],
    says: /^the connection is closed before an answer\nsee the log of the backend; does the script crash\?/,
  },
  {
    what: 'something that is not HTTP',
    settings: async (t) => ({
      BACKEND_URL: `${(await startRawBackend(t, (socket) => void socket.end('SSH-2.0-x\r\n'))).url}/auth`,
    }),
    found: ['failed backend-answer'],
    says: /^what answers there is not HTTP\nis the port of BACKEND_URL right\?/,
  },
  {
    what: 'https:// in front of a port that speaks HTTP',
    settings: (_t, { port }) => ({ BACKEND_URL: `https://127.0.0.1:${port}/auth` }),
    found: ['failed backend-certificate'],
    says: /^the backend speaks plain HTTP there, no TLS\nwrite http:\/\//,
  },
  {
    what: 'a web server in front of a script, and no UNAVAILABLE_STATUS',
    answer: (_asked, response) => void response.writeHead(403, { Server: 'nginx/1.26.3' }).end(),
    found: ['warning backend-answer'],
    says: /^answers 403 by way of nginx .*: where the script behind it is dead, new viewers are denied\n.*UNAVAILABLE_STATUS=502 503 504/,
  },
  {
    what: 'a status of UNAVAILABLE_STATUS',
    answer: status(503),
    settings: () => ({ UNAVAILABLE_STATUS: '502 503' }),
    found: ['failed backend-answer'],
    says: /^answers 503, which UNAVAILABLE_STATUS counts as no answer/,
  },
  {
    what: 'an error of the backend',
    answer: status(500),
    found: ['failed backend-answer'],
    says: /^answers 500 .* a deny for everybody\nsee the log of the backend/,
  },
  {
    what: 'a backend that wants a password',
    answer: status(401, { 'WWW-Authenticate': 'Basic realm="x"' }),
    found: ['failed backend-answer'],
    says: /^wants a user and a password \(401\)\nwrite them in BACKEND_URL/,
  },
  {
    what: 'a password that is not taken',
    answer: status(401, { 'WWW-Authenticate': 'Basic realm="x"' }),
    settings: (_t, { port }) => ({ BACKEND_URL: `http://user:hunter2@127.0.0.1:${port}/auth` }),
    found: ['failed backend-answer'],
    says: /^does not take the user and password of BACKEND_URL \(401\)/,
  },
  {
    what: 'a redirect',
    answer: status(302, { Location: 'https://user:hunter2@portal.example.com/auth/?token=hunter2' }),
    found: ['failed backend-redirect'],
    says: /^redirects to portal\.example\.com \(302\), which denies everybody\n.*BACKEND_URL=https:\/\/portal\.example\.com\/auth\/ /,
  },
  {
    what: 'a redirect to nowhere',
    answer: status(301),
    found: ['failed backend-redirect'],
    says: /^answers 301, and any status but 200 denies everybody/,
  },
  {
    what: 'a login page',
    answer: (_asked, response) =>
      void response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end('<form>'),
    found: ['failed backend-token'],
    says: /^an invented token is allowed \(200, with an HTML page\): everybody would be let in\nis that a login page/,
  },
  {
    what: 'a backend that allows everything',
    answer: status(200),
    found: ['failed backend-token'],
    says: /^an invented token is allowed \(200\): everybody would be let in\nis the path of BACKEND_URL right\?/,
  },
  {
    what: 'a slow backend',
    answer: slow(150),
    found: ['warning backend-latency'],
    says: /^median \d+ ms, slowest \d+ ms of 7 questions: viewers wait/,
  },
  {
    what: 'a backend that just keeps the deadline',
    answer: slow(2_000),
    settings: () => ({ BACKEND_TIMEOUT: '2400ms' }),
    found: ['failed backend-latency'],
    says: /too near to the deadline of 2400 ms\n.*raise BACKEND_TIMEOUT/,
  },
  {
    what: 'a backend that misses every second deadline',
    answer: (() => {
      let asked = 0
      return (_asked, response) => {
        if (++asked % 2 === 1) response.writeHead(403).end()
      }
    })(),
    settings: () => ({ BACKEND_TIMEOUT: '500ms' }),
    found: ['failed backend-latency'],
    says: /^1 of 2 questions got no answer/,
  },
  {
    what: 'a clock that differs from the backend',
    ahead: 300_000,
    found: ['warning clock'],
    says: /^this machine is (?:299|300|301) s ahead of http:\/\/127\.0\.0\.1:\d+\/auth\n/,
  },
  {
    what: 'a clock that was never set',
    ahead: -Date.now(),
    found: ['failed clock'],
    says: /^this machine thinks it is 1970-01-01T00:\d\d:\d\dZ: .*\n.*set-ntp true/,
  },
  {
    what: 'a preset with a path of its own',
    settings: (_t, { url }) => ({ BACKEND_URL: `${url}/portal/check.php`, MIDDLEWARE: 'ministra' }),
    found: ['warning backend-path'],
    says: /^\/portal\/check\.php is not where ministra answers\nwrite only http:\/\/host in BACKEND_URL/,
  },
  {
    what: 'a preset whose middleware is not there',
    answer: status(404),
    settings: (_t, { url }) => ({ BACKEND_URL: url, MIDDLEWARE: 'smarty' }),
    found: ['failed backend-path'],
    says: /^\/tvmiddleware\/\S+ is not there \(404\)\nis smarty on this host/,
  },
  {
    what: 'a preset whose path is wrong and not there',
    answer: status(404),
    settings: (_t, { url }) => ({ BACKEND_URL: `${url}/stalker_portal`, MIDDLEWARE: 'ministra' }),
    found: ['failed backend-path'],
    says: /^\/stalker_portal is not there \(404\), and not where ministra answers/,
  },
  {
    what: 'the path of Ministra without its preset',
    settings: (_t, { url }) => ({
      BACKEND_URL: `${url}/stalker_portal/server/api/chk_flussonic_tmp_link.php`,
    }),
    found: ['warning backend-path'],
    says: /^this is the path of ministra, but MIDDLEWARE=custom re-checks playing viewers\nset MIDDLEWARE=ministra/,
  },
  {
    what: 'half the path of Ministra',
    settings: (_t, { url }) => ({ BACKEND_URL: `${url}/stalker_portal/` }),
    found: ['warning backend-path'],
    says: /looks like ministra, but is not where it answers/,
  },
  {
    what: 'a path that is not there',
    answer: status(404),
    found: ['warning backend-path'],
    says: /^\/auth answers 404, as a wrong path would/,
  },
]

describe('check finds on the way to the backend', () => {
  for (const { what, answer, settings, ahead = 0, found, says } of broken) {
    test(what, async (t) => {
      const { environment, backend } = await startCheckedSite(t)
      if (answer !== undefined) backend.answer = answer
      const findings = await checkSite({ ...environment, ...(await settings?.(t, backend)) }, ahead)
      assert.deepEqual(
        flawsOf(findings, found).filter((flaw) => !ofGate.test(flaw)),
        found,
        JSON.stringify(findings, null, 1),
      )
      assert.match(textOf(findings, (found[0] ?? '').split(' ')[1] ?? ''), says)
      assert.doesNotMatch(JSON.stringify(findings), /hunter2/)
    })
  }

  test('the second of two backends, and says which', async (t) => {
    const { environment, backend } = await startCheckedSite(t)
    const second = await startBackend(t)
    const findings = await checkSite({
      ...environment,
      BACKEND_URL: `${environment['BACKEND_URL']} ${second.url}/auth`,
    })
    assert.deepEqual(flawsOf(findings), ['failed backend-token', 'warning running-settings'])
    const own = findings.filter(({ name }) => name === 'backend-token')
    assert.deepEqual(
      own.map((one) => one.backend),
      [`${backend.url}/auth`, `${second.url}/auth`],
    )
    assert.equal(own[1]?.finding.startsWith('an invented token is allowed'), true)
  })
})

describe('a question of the check', () => {
  test('holds nothing of a client, and each its own token', async (t) => {
    const { environment, backend } = await startCheckedSite(t, { settings: { TOKEN_PARAM: 'key' } })
    await checkSite(environment)
    assert.equal(backend.asked.length, 7)
    for (const { method, target, headers } of backend.asked) {
      assert.equal(method, 'GET')
      assert.match(target, /^\/auth\?key=alta-auth-check-[0-9a-f]{16}$/)
      assert.deepEqual(
        [headers['X-Real-Ua'], headers['X-Real-Ip'], headers['X-Real-Path'], headers['X-Real-Origin']],
        ['alta-auth check', '192.0.2.1', '/alta-auth-check/index.m3u8', 'http://alta-auth-check.invalid'],
      )
    }
    assert.equal(new Set(backend.asked.map(({ target }) => target)).size, 7)
  })
})

describe('several addresses', () => {
  const connected = { kind: 'connected', ms: 1 } as const
  const refused = (code: string) => ({ kind: 'refused', code }) as const

  test('one that is silent is a warning, all of them are a failure', () => {
    const alive = { address: '192.0.2.1', connected }
    const dead = { address: '192.0.2.2', connected: { kind: 'silent' } as const }
    const one = checkConnection(80, [alive, dead], 2500)
    assert.deepEqual(
      [one.result, one.finding],
      ['warning', '192.0.2.1:80 in 1 ms, 192.0.2.2:80: no answer within 2500 ms'],
    )
    const all = checkConnection(80, [dead], 2500)
    assert.equal(all.result, 'failed')
    assert.match(all.remedy ?? '', /firewall/)
  })

  test('one that costs no time is no flaw: ::1 of localhost, and IPv6 on a machine without', () => {
    for (const other of [
      { address: '::1', connected: refused('ECONNREFUSED') },
      { address: '2001:db8::1', connected: refused('ENETUNREACH') },
    ])
      assert.equal(checkConnection(80, [{ address: '127.0.0.1', connected }, other], 1).result, 'ok')
  })
})

test('http:// in front of a port that speaks TLS is told, whatever the port answered', () => {
  const options = { limit: 1, unavailableStatus: new Set<number>(), hasPassword: false, speaksTls: true }
  const answers = [
    { kind: 'unavailable', reason: 'not-http', ms: 1 },
    { kind: 'answered', reply: { status: 400, headers: {} }, ms: 1 },
  ] as const
  for (const asked of answers) assert.match(checkAnswer(asked, options).remedy ?? '', /write https:\/\//)
})
