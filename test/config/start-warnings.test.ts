import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heapLimit, MEGABYTE } from '../../src/config/heap.ts'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { startWarnings } from '../../src/config/start-warnings.ts'
import { wordsOf } from '../support/words.ts'

const PID = 42
const BACKEND_URL = 'http://127.0.0.1:6000/auth'
const CHANNELS = '^/live/([^/]+)/'
const RUNTIME_DIRECTORY = '/run/alta-auth-store'

/**
 * The warnings at the start, without the line about the default action. CHANNEL_PATTERN is right, STATE_URL
 * and SESSION_LIMIT are set, unless others are given.
 */
function warningsOf(environment: Environment): readonly string[] {
  const given = { STATE_URL: 'off', SESSION_LIMIT: 'newest', ...environment }
  const result = readSettings({ BACKEND_URL, CHANNEL_PATTERN: CHANNELS, ...given })
  assert.ok(result.ok)
  const [aboutDefault = '', ...others] = startWarnings(result.settings, given, PID)
  assert.match(aboutDefault, /^DEFAULT_ACTION=/)
  return others
}

const file = { STATE_URL: 'file:/srv/state' }
const notSet = /^STATE_URL is not set: a restart forgets who plays; set STATE_URL=file:\/path/
const noMargin = /^BACKEND_TIMEOUT=2000ms with STATE_TIMEOUT=1000ms leaves nginx no margin: .* to 4s$/
const reachable = (listen: string): RegExp =>
  new RegExp(`^LISTEN=${listen.replaceAll(/[.[\]]/g, '\\$&')} is reachable from other machines: .*firewall`)
const notBeginning = /^CHANNEL_PATTERN does not begin with \^ and the directory/

/** Settings, and the one warning about them; nothing where there is none. */
const rows: readonly (readonly [environment: Environment, warning?: RegExp])[] = [
  [{}],
  // One sentence: what a playlist opens, and who proposes a pattern.
  [{ CHANNEL_PATTERN: '' }, /^CHANNEL_PATTERN is not set: [^.]+ \("alta-auth check" proposes a pattern\)$/],
  [{ STATE_URL: undefined }, notSet],
  [{ STATE_URL: '' }, notSet],
  [{ STATE_URL: ' ' }, notSet],
  [{ STATE_URL: undefined, RUNTIME_DIRECTORY }],
  [{ STATE_URL: ' ', RUNTIME_DIRECTORY }],
  [file],
  [{ ...file, STATE_TIMEOUT: '600ms' }],
  [{ ...file, STATE_TIMEOUT: '1s' }, noMargin],
  [{ SESSION_LIMIT: '' }, /^SESSION_LIMIT is not set: [^.]+ report to see it first, off for no limit\)$/],
  [{ SESSION_LIMIT: 'refuse' }],
  [{ SESSION_LIMIT: 'report' }],
  [{ SESSION_LIMIT: 'off' }],
  [{ SESSION_LIMIT_GRACE: '12s' }, /^SESSION_LIMIT_GRACE does nothing any more: .*; remove it$/],
  [{ SESSION_LIMIT_HOLD: '1m' }, /^SESSION_LIMIT_HOLD does nothing any more: .*; remove it$/],
  [{ BACKEND_TIMEOUT: '2500ms' }],
  ...['/live/([^/]+)/', '^/(?:live|tv)/([^/]+)/', '^/a/(x)|^/b/(y)'].map(
    (CHANNEL_PATTERN) => [{ CHANNEL_PATTERN }, notBeginning] as const,
  ),
  ...wordsOf('0.0.0.0:9180 [::]:9180 192.0.2.1:9180 gate.example.com:9180').map(
    (LISTEN) => [{ LISTEN }, reachable(LISTEN)] as const,
  ),
  ...wordsOf('127.0.0.1:9180 127.1.2.3:1 [::1]:9180 localhost:9180 unix:/run/a.sock').map(
    (LISTEN) => [{ LISTEN }] as const,
  ),
  ...wordsOf(
    '^/live/([^/.-]+) ^/live/(\\d{1,10})/ ^/live/(?:hd|sd)/(?<channel>\\d+) ^/live/((?:[a-z0-9]+-?)+)/',
  ).map((CHANNEL_PATTERN) => [{ CHANNEL_PATTERN }] as const),
  ...wordsOf(
    '^/(?:live|movie|series)/([^/]+)/([^/]+)/ ^/(?:(?:live|movie|series)/)?([^/]+)/([^/]+)/\\d+(?:[._/-]|$)',
  ).map((CREDENTIAL_PATTERN) => [{ CREDENTIAL_PATTERN }] as const),
  // A socket of systemd's for this process, and for another one.
  [{ LISTEN_FDS: '1', LISTEN_PID: String(PID) }],
  [
    { LISTEN_FDS: '1', LISTEN_PID: '41' },
    /process 41, not to this one \(42\): start "node dist\/main\.js" directly, not through npm/,
  ],
]

describe('what is warned of at start', () => {
  for (const [environment, warning] of rows)
    test(`${JSON.stringify(environment)}: ${warning?.source ?? 'nothing'}`, () => {
      const [first, ...more] = warningsOf(environment)
      assert.deepEqual(more, [])
      if (warning === undefined) assert.equal(first, undefined)
      else assert.match(first ?? '', warning)
    })

  for (const [action, meaning, other] of [
    ['deny', 'refused', 'allow'],
    ['allow', 'let in', 'deny'],
  ] as const) {
    test(`DEFAULT_ACTION=${action}: that unknown viewers are ${meaning}, and how to change it`, () => {
      const result = readSettings({ BACKEND_URL, DEFAULT_ACTION: action })
      assert.ok(result.ok)
      const [line = ''] = startWarnings(result.settings, {}, PID)
      assert.match(line, new RegExp(`^DEFAULT_ACTION=${action}: unknown viewers are ${meaning} while .*set `))
      assert.ok(line.includes(`set DEFAULT_ACTION=${other} `), line)
    })
  }

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

  for (const pattern of wordsOf(String.raw`
    ^/live/((\w+)-\2)/ ^/(?=live)([^/]+)/ ^/(?!vod)([^/]+)/ /([^/]+)(?<=tv)/ /([^/]+)(?<!tv)/
    ^/(?<a>x)([^/]+)\k<a>/ ^/live/((?:\w{1,20}-?)+)/ ^/live/((?:[a-z]{1,5}-?){1,9})/`))
    for (const name of ['CHANNEL_PATTERN', 'CREDENTIAL_PATTERN'])
      test(`${name}=${pattern}: that a path may hold up the gate`, () => {
        const [warning = '', ...more] = warningsOf({ [name]: pattern }).filter(
          (one) => !notBeginning.test(one),
        )
        assert.deepEqual(more, [])
        assert.match(warning, new RegExp(`^${name} may take very long on a path .*; write it without$`))
      })

  test('a SESSION_MEMORY that the heap has no room for: which heap, and how to raise it', () => {
    const heap = Math.floor(heapLimit() / MEGABYTE)
    assert.deepEqual(warningsOf({ SESSION_MEMORY: `${heap}m` }), [
      `SESSION_MEMORY=${heap}m is too much for the ${heap}m of heap that V8 may use: raise that with NODE_OPTIONS=--max-old-space-size=${2 * heap}, or write less`,
    ])
    assert.deepEqual(warningsOf({ SESSION_MEMORY: `${Math.floor(heap * 0.7)}m` }), [])
  })

  test('STATE_MAX beside a Valkey: that it bounds nothing', () => {
    const valkey = { STATE_URL: 'valkey://h', STATE_SECRET: 's'.repeat(32) }
    assert.deepEqual(warningsOf(valkey), [])
    const [warning = ''] = warningsOf({ ...valkey, STATE_MAX: '64m' })
    assert.match(warning, /^STATE_MAX bounds a store in a folder.*: remove it$/)
  })
})
