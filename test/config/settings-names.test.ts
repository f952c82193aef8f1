import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../src/config/read-settings.ts'

const BACKEND_URL = 'http://127.0.0.1:6000/auth'

const typos: readonly (readonly [written: string, meant: string])[] = [
  ['DEFAULT_ACTON', 'DEFAULT_ACTION'],
  ['DEFAULT_ACTOIN', 'DEFAULT_ACTION'],
  ['DEFAULTACTION', 'DEFAULT_ACTION'],
  ['default_action', 'DEFAULT_ACTION'],
  ['BACKENDURL', 'BACKEND_URL'],
  ['BACKEND-URL', 'BACKEND_URL'],
  ['BACKEND_URLS', 'BACKEND_URL'],
  ['BACKEND_URI', 'BACKEND_URL'],
  ['BACKEND_TIMOUT', 'BACKEND_TIMEOUT'],
  ['ALLOW_TLL', 'ALLOW_TTL'],
  ['ALOW_TTL', 'ALLOW_TTL'],
  ['TOKEN_PARAMS', 'TOKEN_PARAM'],
  ['IGNORED_PARAM', 'IGNORED_PARAMS'],
  ['MIDDELWARE', 'MIDDLEWARE'],
  ['MAX_SESSION', 'MAX_SESSIONS'],
  ['LISTENS', 'LISTEN'],
  ['LOGLEVEL', 'LOG_LEVEL'],
]

const foreign = {
  LISTEN_FDS: '1',
  LISTEN_PID: '42',
  LISTEN_FDNAMES: 'gate.socket',
  LISTEN_PIDFDID: '7',
  PATH: '/usr/bin',
  HOME: '/root',
  HOSTNAME: 'gate-1',
  NODE_ENV: 'production',
  NO_COLOR: '1',
  LOGNAME: 'root',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  PORT: '80',
  INVOCATION_ID: 'c0ffee',
  NOTIFY_SOCKET: '/run/systemd/notify',
  npm_lifecycle_event: 'start',
  npm_config_loglevel: 'notice',
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
}

describe('names that are no settings', () => {
  for (const [written, meant] of typos) {
    test(`${written} is reported as ${meant} misspelt`, () => {
      const result = readSettings({ BACKEND_URL, [written]: '1' })
      assert.ok(!result.ok)
      assert.equal(result.problems.length, 1, result.problems.join('\n'))
      const [problem = ''] = result.problems
      assert.ok(problem.startsWith(written), problem)
      assert.match(problem, new RegExp(`mean ${meant}\\?.*(?:[Rr]ename|remove)`))
    })
  }

  test("systemd's and other programs' variables are left alone", () => {
    const result = readSettings({ BACKEND_URL, ...foreign })
    assert.deepEqual(result, readSettings({ BACKEND_URL }))
  })
})
