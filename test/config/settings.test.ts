import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultSessionMemory, heapLimit, MEGABYTE } from '../../src/config/heap.ts'
import { type Environment, readSettings, type Settings } from '../../src/config/read-settings.ts'
import { type Setting, settingNames, settingsTable } from '../../src/config/settings-table.ts'
import { wordsOf } from '../support/words.ts'

const BACKEND_URL = 'http://127.0.0.1:6000/auth'

function problemsOf(environment: Environment): readonly string[] {
  const result = readSettings(environment)
  return result.ok ? [] : result.problems
}

function settingsOf(environment: Environment): Settings {
  const result = readSettings({ BACKEND_URL, ...environment })
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return result.settings
}

const lifetimes = { allow: 60_000, deny: 5_000, stale: 3_600_000, default: 2_000, resume: 'backend' } as const

describe('wrong settings', () => {
  test('a BACKEND_URL that is not set is one problem with an example', () => {
    for (const environment of [{}, { BACKEND_URL: '' }, { BACKEND_URL: '  ' }]) {
      const [problem = '', ...more] = problemsOf(environment)
      assert.deepEqual(more, [])
      assert.match(problem, /^BACKEND_URL is not set; .*BACKEND_URL=http:/)
    }
  })

  test('each setting that must be set has an example of its own, which it takes', () => {
    const required = settingNames.filter((name) => settingsTable[name].value === undefined)
    assert.ok(required.length > 0)
    for (const name of required) {
      const { example = '', read }: Setting<unknown> = settingsTable[name]
      read(example)
      assert.ok(
        problemsOf({ [name]: '' }).some((problem) => problem.endsWith(`Write it as ${name}=${example}`)),
      )
    }
  })

  test('an admin listener that other machines reach needs a token', () => {
    for (const ADMIN_LISTEN of wordsOf(`
      127.evil.example.com:9181 127.0.0.1.nip.example:9181 0.0.0.0:9181 [::]:9181 192.0.2.1:9181
      gate.example.com:9181 [2001:db8::1]:9181`)) {
      const [problem = '', ...more] = problemsOf({ BACKEND_URL, ADMIN_LISTEN })
      assert.deepEqual(more, [])
      assert.ok(problem.startsWith(`ADMIN_LISTEN=${ADMIN_LISTEN} `), problem)
      assert.match(
        problem,
        /set ADMIN_TOKEN \(make one with "openssl rand -hex 32"\), or listen on 127\.0\.0\.1/,
      )
      assert.deepEqual(problemsOf({ BACKEND_URL, ADMIN_LISTEN, ADMIN_TOKEN: '0123456789abcdef' }), [])
    }
    for (const ADMIN_LISTEN of wordsOf(
      '127.0.0.1:9181 127.1.2.3:9181 [::1]:9181 localhost:9181 unix:/run/a.sock off',
    ))
      assert.deepEqual(problemsOf({ BACKEND_URL, ADMIN_LISTEN }), [])
  })

  test('the gate and the admin listener need an address each', () => {
    for (const [environment, shown] of [
      [{ LISTEN: '127.0.0.1:7000', ADMIN_LISTEN: '127.0.0.1:7000' }, '127.0.0.1:7000'],
      [{ ADMIN_LISTEN: '127.0.0.1:9180' }, '127.0.0.1:9180'],
      [{ LISTEN: '127.0.0.1:9181' }, '127.0.0.1:9181'],
      [{ LISTEN: 'unix:/run/a.sock', ADMIN_LISTEN: 'unix:/run/a.sock' }, 'unix:/run/a.sock'],
    ] as const)
      assert.deepEqual(problemsOf({ BACKEND_URL, ...environment }), [
        `ADMIN_LISTEN=${shown} is where the gate listens; choose another port, or off`,
      ])
    const free = '127.0.0.1:0'
    assert.deepEqual(problemsOf({ BACKEND_URL, LISTEN: free, ADMIN_LISTEN: free }), [])
    assert.deepEqual(problemsOf({ BACKEND_URL, LISTEN: '127.0.0.1:9181', ADMIN_LISTEN: 'off' }), [])
  })

  test('of several backends each broken one is reported', () => {
    const problems = problemsOf({ BACKEND_URL: 'http://a:0/x http://b/auth http://c/#d' })
    assert.equal(problems.length, 2, problems.join('\n'))
    assert.match(problems.join('\n'), /http:\/\/a:0\/x .*\n.*http:\/\/c\//)
  })

  test('a credential must not be left out of the canonical query', () => {
    for (const [TOKEN_PARAM, IGNORED_PARAMS] of [
      ['key', 'CMCD key'],
      ['token', 'tok*'],
      ['a token', '*'],
    ]) {
      const problems = problemsOf({ BACKEND_URL, TOKEN_PARAM, IGNORED_PARAMS })
      assert.ok(problems.length > 0)
      assert.match(problems[0] ?? '', /IGNORED_PARAMS=.*TOKEN_PARAM.*; take it out/)
    }
  })
})

describe('settings left alone', () => {
  test('have the defaults of the documentation', () => {
    const { backends, ...settings } = settingsOf({})
    assert.equal(backends.length, 1)
    assert.deepEqual(settings, {
      formerFolders: [],
      clientPrefixes: { ipv4: 32, ipv6: 64 },
      sessionCookie: 'off',
      sessionCookieShared: 'log',
      backendMode: 'failover',
      backendTimeout: 2_000,
      backendConcurrency: 64,
      unavailableStatus: new Set(),
      defaultAction: 'deny',
      listen: { kind: 'tcp', host: '127.0.0.1', port: 9180 },
      adminListen: { kind: 'tcp', host: '127.0.0.1', port: 9181 },
      adminToken: undefined,
      eventsUrl: undefined,
      eventsInterim: 0,
      lifetimes,
      sessionIdle: 120_000,
      state: undefined,
      gateName: undefined,
      limit: {
        sessionLimit: 'newest',
        maxUserSessions: undefined,
        minUserSessions: 1,
      },
      nginxTtl: 10_000,
      maxSessions: 100_000,
      sessionMemory: defaultSessionMemory(heapLimit()),
      tokenParams: ['token'],
      ignoredParams: ['_HLS_*', 'CMCD'],
      channelPattern: undefined,
      credentialPattern: undefined,
      logLevel: 'info',
      logFormat: 'json',
    })
  })

  test('let sessions have half of what the heap leaves beside 64 MiB', () => {
    assert.equal(defaultSessionMemory(4144 * MEGABYTE), 2040 * MEGABYTE)
    assert.equal(defaultSessionMemory(112 * MEGABYTE), 24 * MEGABYTE)
    assert.equal(defaultSessionMemory(40 * MEGABYTE), 8 * MEGABYTE)
  })

  test('empty or blank is the same as not set', () => {
    for (const blank of ['', ' ', '\t']) {
      const environment = Object.fromEntries(settingNames.map((name) => [name, blank]))
      assert.deepEqual(settingsOf({ ...environment, BACKEND_URL }), settingsOf({}))
    }
  })

  test('blanks around a value are not part of it', () => {
    assert.equal(settingsOf({ DEFAULT_ACTION: ' allow ' }).defaultAction, 'allow')
  })
})

describe('settings written by hand', () => {
  const values: [Environment, Partial<Settings>][] = [
    [{ BACKEND_MODE: 'any' }, { backendMode: 'any' }],
    [{ BACKEND_TIMEOUT: '500ms' }, { backendTimeout: 500 }],
    [{ UNAVAILABLE_STATUS: '502 503,504' }, { unavailableStatus: new Set([502, 503, 504]) }],
    [{ DEFAULT_ACTION: 'allow' }, { defaultAction: 'allow' }],
    [{ LISTEN: '0.0.0.0:80' }, { listen: { kind: 'tcp', host: '0.0.0.0', port: 80 } }],
    [{ LISTEN: '[::1]:80' }, { listen: { kind: 'tcp', host: '::1', port: 80 } }],
    [{ LISTEN: 'localhost:80' }, { listen: { kind: 'tcp', host: 'localhost', port: 80 } }],
    [{ LISTEN: 'unix:/run/gate.sock' }, { listen: { kind: 'unix', path: '/run/gate.sock' } }],
    [{ ADMIN_LISTEN: 'off' }, { adminListen: undefined }],
    [{ ADMIN_TOKEN: 'abc-DEF_0123.~+/==' }, { adminToken: 'abc-DEF_0123.~+/==' }],
    [{ EVENTS_INTERIM: '10s' }, { eventsInterim: 10_000 }],
    [{ SESSION_IDLE: '1d' }, { sessionIdle: 86_400_000 }],
    [{ SESSION_RESUME: '24h' }, { lifetimes: { ...lifetimes, resume: 86_400_000 } }],
    [{ SESSION_RESUME: '10m' }, { lifetimes: { ...lifetimes, resume: 600_000 } }],
    [{ SESSION_RESUME: 'off' }, { lifetimes: { ...lifetimes, resume: 0 } }],
    [{ GATE_NAME: 'edge-1/gate.2:9180' }, { gateName: 'edge-1/gate.2:9180' }],
    [{ NGINX_TTL: '3s' }, { nginxTtl: 3000 }],
    [{ MAX_SESSIONS: '1' }, { maxSessions: 1 }],
    [{ SESSION_MEMORY: '1024k' }, { sessionMemory: 1_048_576 }],
    [{ SESSION_MEMORY: '64m' }, { sessionMemory: 67_108_864 }],
    [{ SESSION_MEMORY: '2G' }, { sessionMemory: 2_147_483_648 }],
    [{ TOKEN_PARAM: 'token, key' }, { tokenParams: ['token', 'key'] }],
    [{ IGNORED_PARAMS: 'utm_*' }, { ignoredParams: ['utm_*'] }],
    [{ SESSION_COOKIE: 'strict' }, { sessionCookie: 'strict' }],
    [{ SESSION_COOKIE_SHARED: 'deny' }, { sessionCookieShared: 'deny' }],
    [{ VIEWER_IPV6_PREFIX: '56' }, { clientPrefixes: { ipv4: 32, ipv6: 56 } }],
    [{ VIEWER_IPV4_PREFIX: '24' }, { clientPrefixes: { ipv4: 24, ipv6: 64 } }],
    [{ CHANNEL_PATTERN: '^/live/([^/]+)/' }, { channelPattern: /^\/live\/([^/]+)\// }],
    [{ CREDENTIAL_PATTERN: '^/([^/]+)/([^/]+)/\\d' }, { credentialPattern: /^\/([^/]+)\/([^/]+)\/\d/ }],
    [
      { LOG_LEVEL: 'debug', LOG_FORMAT: 'pretty' },
      { logLevel: 'debug', logFormat: 'pretty' },
    ],
  ]
  for (const [environment, expected] of values) {
    test(`count: ${Object.entries(environment).join(' ')}`, () => {
      assert.deepEqual(settingsOf(environment), { ...settingsOf({}), ...expected })
    })
  }

  test('lifetimes count', () => {
    const environment = { ALLOW_TTL: 'session', DENY_TTL: '1s', STALE_TTL: '2m', DEFAULT_TTL: '3ms' }
    const { lifetimes } = settingsOf(environment)
    assert.deepEqual(lifetimes, {
      ...settingsOf({}).lifetimes,
      allow: 'session',
      deny: 1_000,
      stale: 120_000,
      default: 3,
    })
  })

  test('cannot be changed any more, however deep', () => {
    const settings = settingsOf({})
    for (const [name, value] of [['settings', settings], ...Object.entries(settings)]) {
      if (typeof value !== 'object' || value instanceof Set || value instanceof RegExp) continue
      assert.ok(Object.isFrozen(value), `${name} is not frozen`)
    }
  })
})

describe('names that are no settings', () => {
  const typos: Readonly<Record<string, string>> = {
    DEFAULT_ACTION: 'DEFAULT_ACTON DEFAULT_ACTOIN DEFAULTACTION default_action',
    BACKEND_URL: 'BACKENDURL BACKEND-URL BACKEND_URLS BACKEND_URI',
    BACKEND_TIMEOUT: 'BACKEND_TIMOUT',
    ALLOW_TTL: 'ALLOW_TLL ALOW_TTL',
    TOKEN_PARAM: 'TOKEN_PARAMS',
    IGNORED_PARAMS: 'IGNORED_PARAM',
    MIDDLEWARE: 'MIDDELWARE',
    MAX_SESSIONS: 'MAX_SESSION',
    LISTEN: 'LISTENS',
    LOG_LEVEL: 'LOGLEVEL',
  }
  for (const [meant, words] of Object.entries(typos))
    for (const written of wordsOf(words))
      test(`${written} is reported as ${meant} misspelt`, () => {
        const [problem = '', ...more] = problemsOf({ BACKEND_URL, [written]: '1' })
        assert.deepEqual(more, [])
        assert.ok(problem.startsWith(written), problem)
        assert.match(problem, new RegExp(`mean ${meant}\\?.*(?:[Rr]ename|remove)`))
      })

  test("systemd's and other programs' variables are left alone", () => {
    const foreign =
      wordsOf(`LISTEN_FDS=1 LISTEN_PID=42 LISTEN_FDNAMES=gate.socket LISTEN_PIDFDID=7 PATH=/usr/bin
      HOME=/root HOSTNAME=gate-1 NODE_ENV=production NO_COLOR=1 LOGNAME=root LANG=C.UTF-8 TZ=UTC PORT=80
      INVOCATION_ID=c0ffee NOTIFY_SOCKET=/run/systemd/notify npm_lifecycle_event=start npm_config_loglevel=notice
      KUBERNETES_SERVICE_HOST=10.0.0.1`)
    const environment = Object.fromEntries(foreign.map((one) => one.split('=')))
    assert.deepEqual(readSettings({ BACKEND_URL, ...environment }), readSettings({ BACKEND_URL }))
    const folders = { STATE_DIRECTORY: '/var/lib/a', CACHE_DIRECTORY: '/var/cache/a', LOGS_DIRECTORY: '/a' }
    assert.equal(settingsOf(folders).state, undefined)
  })
})
