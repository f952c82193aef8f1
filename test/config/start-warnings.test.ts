import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heapLimit, MEGABYTE } from '../../src/config/heap.ts'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { startWarnings } from '../../src/config/start-warnings.ts'

const PID = 42
const CHANNELS = '^/live/([^/]+)/'

function warnsOfNothing(environment: Environment): void {
  const [[name, value] = []] = Object.entries(environment)
  test(`${name}=${value}: nothing`, () => {
    assert.deepEqual(warningsOf(environment), [])
  })
}

/**
 * The warnings at the start, without the line about the default action. CHANNEL_PATTERN is right, STATE_URL
 * and SESSION_LIMIT are set, unless others are given.
 */
function warningsOf(environment: Environment): readonly string[] {
  const BACKEND_URL = 'http://127.0.0.1:6000/auth'
  const given = { STATE_URL: 'off', SESSION_LIMIT: 'newest', ...environment }
  const result = readSettings({ BACKEND_URL, CHANNEL_PATTERN: CHANNELS, ...given })
  assert.ok(result.ok)
  const [aboutDefault = '', ...others] = startWarnings(result.settings, given, PID)
  assert.match(aboutDefault, /^DEFAULT_ACTION=/)
  return others
}

describe('what is warned of at start', () => {
  test('nothing but the default action, where CHANNEL_PATTERN is set', () => {
    assert.deepEqual(warningsOf({}), [])
  })

  test('without CHANNEL_PATTERN: what a playlist opens, and who proposes a pattern; one sentence', () => {
    const [warning = '', ...more] = warningsOf({ CHANNEL_PATTERN: '' })
    assert.deepEqual(more, [])
    assert.match(warning, /^CHANNEL_PATTERN is not set: [^.]+ \("alta-auth check" proposes a pattern\)$/)
  })

  for (const STATE_URL of [undefined, '', ' ']) {
    test(`STATE_URL=${STATE_URL}, without systemd: that a restart forgets who plays, and what to set`, () => {
      const [warning = '', ...more] = warningsOf({ STATE_URL })
      assert.deepEqual(more, [])
      assert.match(warning, /^STATE_URL is not set: a restart forgets who plays; set STATE_URL=file:\/path/)
      assert.deepEqual(warningsOf({ STATE_URL, RUNTIME_DIRECTORY: '/run/alta-auth-store' }), [])
    })
  }
  warnsOfNothing({ STATE_URL: 'off' })
  warnsOfNothing({ STATE_URL: 'file:/srv/state' })

  test('SESSION_LIMIT not set: that a number is enforced now, and how to see it first', () => {
    const [warning = '', ...more] = warningsOf({ SESSION_LIMIT: '' })
    assert.deepEqual(more, [])
    assert.match(warning, /^SESSION_LIMIT is not set: [^.]+ report to see it first, off for no limit\)$/)
  })
  test('BACKEND_TIMEOUT and STATE_TIMEOUT together: what nginx must wait', () => {
    const state = { STATE_URL: 'file:/srv/state' }
    assert.deepEqual(warningsOf({ ...state, STATE_TIMEOUT: '600ms' }), [])
    const [warning = '', ...more] = warningsOf({ ...state, STATE_TIMEOUT: '1s' })
    assert.deepEqual(more, [])
    assert.match(
      warning,
      /^BACKEND_TIMEOUT=2000ms with STATE_TIMEOUT=1000ms leaves nginx no margin: .* to 4s$/,
    )
  })

  for (const SESSION_LIMIT of ['newest', 'refuse', 'report', 'off']) warnsOfNothing({ SESSION_LIMIT })

  for (const name of ['SESSION_LIMIT_GRACE', 'SESSION_LIMIT_HOLD'])
    test(`${name} is accepted, and does nothing`, () => {
      const [warning = '', ...more] = warningsOf({ [name]: '12s' })
      assert.deepEqual(more, [])
      assert.match(warning, new RegExp(`^${name} does nothing any more: .*; remove it$`))
    })

  for (const CHANNEL_PATTERN of ['/live/([^/]+)/', '^/(?:live|tv)/([^/]+)/', '^/a/(x)|^/b/(y)']) {
    test(`CHANNEL_PATTERN=${CHANNEL_PATTERN}: that it does not tell where the channels lie`, () => {
      const [warning = '', ...more] = warningsOf({ CHANNEL_PATTERN })
      assert.deepEqual(more, [])
      assert.match(warning, /^CHANNEL_PATTERN does not begin with \^ and the directory/)
    })
  }

  for (const [action, meaning, other] of [
    ['deny', 'refused', 'allow'],
    ['allow', 'let in', 'deny'],
  ] as const) {
    test(`DEFAULT_ACTION=${action}: that unknown viewers are ${meaning}, and how to change it`, () => {
      const result = readSettings({ BACKEND_URL: 'http://127.0.0.1:6000/auth', DEFAULT_ACTION: action })
      assert.ok(result.ok)
      const [line = ''] = startWarnings(result.settings, {}, PID)
      assert.match(line, new RegExp(`^DEFAULT_ACTION=${action}: unknown viewers are ${meaning} while .*set `))
      assert.ok(line.includes(`set DEFAULT_ACTION=${other} `), line)
    })
  }

  test('a BACKEND_TIMEOUT up to 2.5 s fits into what nginx waits', () => {
    assert.deepEqual(warningsOf({ BACKEND_TIMEOUT: '2500ms' }), [])
  })

  for (const [written, shown, wait] of [
    ['2501ms', '2501ms', '4s'],
    ['3s', '3000ms', '4s'],
    ['9500ms', '9500ms', '11s'],
    ['1m', '60000ms', '61s'],
  ] as const) {
    test(`a BACKEND_TIMEOUT of ${written} needs another line in nginx, which is named`, () => {
      const [warning = '', ...more] = warningsOf({ BACKEND_TIMEOUT: written })
      assert.deepEqual(more, [])
      const [, line = '', file = ''] = /: change "(.+;)" in (\S+) /.exec(warning) ?? []
      assert.equal(
        warning,
        `BACKEND_TIMEOUT=${shown} leaves nginx no margin: change "${line}" in ${file} to ${wait}`,
      )
      const [directive = '', value = ''] = line.split(' ')
      const shipped = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
      assert.match(shipped, new RegExp(`^ +${directive} +${value}$`, 'm'), file)
    })
  }

  for (const LISTEN of ['0.0.0.0:9180', '[::]:9180', '192.0.2.1:9180', 'gate.example.com:9180']) {
    test(`LISTEN=${LISTEN}: that others may reach the gate, and what to do`, () => {
      const [warning = '', ...more] = warningsOf({ LISTEN })
      assert.deepEqual(more, [])
      assert.ok(warning.startsWith(`LISTEN=${LISTEN} is reachable from other machines: `), warning)
      assert.match(warning, /firewall/)
    })
  }

  for (const LISTEN of [
    '127.0.0.1:9180',
    '127.1.2.3:1',
    '[::1]:9180',
    'localhost:9180',
    'unix:/run/a.sock',
  ]) {
    warnsOfNothing({ LISTEN })
  }

  for (const CHANNEL_PATTERN of [
    '^/live/((\\w+)-\\2)/',
    '^/(?=live)([^/]+)/',
    '^/(?!vod)([^/]+)/',
    '/([^/]+)(?<=tv)/',
    '/([^/]+)(?<!tv)/',
    '^/(?<a>x)([^/]+)\\k<a>/',
    '^/live/((?:\\w{1,20}-?)+)/',
    '^/live/((?:[a-z]{1,5}-?){1,9})/',
  ]) {
    test(`CHANNEL_PATTERN=${CHANNEL_PATTERN}: that a path may hold up the gate`, () => {
      const [warning = '', ...more] = warningsOf({ CHANNEL_PATTERN }).filter(
        (one) => !one.includes('does not begin'),
      )
      assert.deepEqual(more, [])
      assert.match(warning, /^CHANNEL_PATTERN may take very long on a path .*; write it without$/)
      const [other = '', ...others] = warningsOf({ CREDENTIAL_PATTERN: CHANNEL_PATTERN })
      assert.deepEqual(others, [])
      assert.match(other, /^CREDENTIAL_PATTERN may take very long on a path .*; write it without$/)
    })
  }

  for (const CHANNEL_PATTERN of [
    '^/live/([^/.-]+)',
    '^/live/(\\d{1,10})/',
    '^/live/(?:hd|sd)/(?<channel>\\d+)',
    '^/live/((?:[a-z0-9]+-?)+)/',
  ])
    warnsOfNothing({ CHANNEL_PATTERN })
  for (const CREDENTIAL_PATTERN of [
    '^/(?:live|movie|series)/([^/]+)/([^/]+)/',
    '^/(?:(?:live|movie|series)/)?([^/]+)/([^/]+)/\\d+(?:[._/-]|$)',
  ])
    warnsOfNothing({ CREDENTIAL_PATTERN })

  test('a SESSION_MEMORY that the heap has no room for: which heap, and how to raise it', () => {
    const heap = Math.floor(heapLimit() / MEGABYTE)
    const [warning = '', ...more] = warningsOf({ SESSION_MEMORY: `${heap}m` })
    assert.deepEqual(more, [])
    assert.equal(
      warning,
      `SESSION_MEMORY=${heap}m is too much for the ${heap}m of heap that V8 may use: raise that with NODE_OPTIONS=--max-old-space-size=${2 * heap}, or write less`,
    )
    assert.deepEqual(warningsOf({ SESSION_MEMORY: `${Math.floor(heap * 0.7)}m` }), [])
  })

  test("a socket of systemd's for this process: nothing; for another one: to start node directly", () => {
    assert.deepEqual(warningsOf({ LISTEN_FDS: '1', LISTEN_PID: String(PID) }), [])
    const [warning = ''] = warningsOf({ LISTEN_FDS: '1', LISTEN_PID: '41' })
    assert.match(
      warning,
      /process 41, not to this one \(42\): start "node dist\/main\.js" directly, not through npm/,
    )
  })
})
