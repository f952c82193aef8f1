import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { type SettingName, settingNames } from '../../src/config/settings-table.ts'
import { createChance } from '../support/create-chance.ts'
import { startMain } from '../support/main-process.ts'

const long = 'a'.repeat(70_000)

/**
 * A value that is wrong for every setting: no choice, time, number, address, URL, status, list of names or
 * pattern.
 */
const wrongEverywhere = [
  '\\',
  '"(',
  'line\nbreak [(',
  '\x1b[31m(red',
  '(?<é',
  '{"a": [(',
  '[(--rf /',
  `${long}[(`,
  '\u202e[(',
  '$[(reboot',
]

/** What is wrong for one setting only. */
const wrong: Readonly<Record<SettingName, readonly string[]>> = {
  BACKEND_URL: [
    '',
    ',',
    'http',
    'http://user:pa ss@h/',
    'https://h:99999',
    '//h/a',
    'file:///etc/passwd',
    'http://%',
  ],
  BACKEND_MODE: ['any,failover', 'ANY', 'both'],
  MIDDLEWARE: ['constructor', '__proto__', 'flussonic'],
  DEFAULT_ACTION: ['0', 'allow deny', 'yes'],
  BACKEND_TIMEOUT: ['2,5s', '١s', '1e3ms', `${'9'.repeat(400)}s`, '0x10s', '∞'],
  BACKEND_CONCURRENCY: ['0', '-64', '64 64', 'NaN', `${'9'.repeat(400)}`],
  UNAVAILABLE_STATUS: ['5xx', '200', '502-504', '999', 'null'],
  LISTEN: ['off', ':::', '[]:80', '127.0.0.1:-1', 'unix:', 'unix:gate.sock', '9180', '127.0.0.1:9180:9180'],
  ADMIN_LISTEN: ['OFF', 'unix:~/admin.sock', '127.0.0.1', '[::1]', 'http://127.0.0.1:9181'],
  ADMIN_TOKEN: [
    'secret',
    'correct horse battery staple',
    'Bearer 0123456789abcdef',
    'zwölfzwölfzwölf1',
    '='.repeat(32),
  ],
  ALLOW_TTL: ['Session', '1m30s', '-1m', '0'],
  DENY_TTL: ['5', '0s', 'session'],
  STALE_TTL: ['1w', '1 h', 'never'],
  DEFAULT_TTL: ['2S', '.5s', '9999d'],
  SESSION_IDLE: ['2min', '00s', 'two minutes'],
  NGINX_TTL: ['10', '10 s', 'short'],
  TOKEN_PARAM: [',', 'to ken[', 'töken', 'a=b', '%74oken', 'token&key', 'a.b'],
  IGNORED_PARAMS: ['utm&x', '{CMCD}', 'a=b', 'a.b', 'a[]'],
  SESSION_COOKIE: ['yes', 'true', '1', 'STRICT', 'lax'],
  SESSION_COOKIE_SHARED: ['end', 'no', '1', 'DENY'],
  VIEWER_IPV6_PREFIX: ['55', '129', '/64', '64.0', 'off', '-64'],
  VIEWER_IPV4_PREFIX: ['23', '33', '/24', '0', 'off', '1e1'],
  CHANNEL_PATTERN: ['(', '^/live/', '[z-a](x)', '(?:x)', '(x)\\'],
  CREDENTIAL_PATTERN: [')', '^/live/', '[z-a](x)', '(?:x)', '(?=x)', '(x)\\'],
  MAX_SESSIONS: ['0', '1e5', '100_000', '∞', '1.5', '10000001'],
  SESSION_MEMORY: ['64', '1 g', '64mb', '0m', '1k', '-1m', '∞', 'half'],
  SESSION_LIMIT: ['Newest', 'oldest', 'on', '1', 'newest refuse'],
  MAX_USER_SESSIONS: ['0', '-1', '1001', '2.5', 'two', 'off'],
  MIN_USER_SESSIONS: ['0', '-1', '1001', '1e1', 'one'],
  SESSION_RESUME: ['Backend', '24', '0', '25h', 'session', 'never'],
  STATE_URL: [
    'on',
    'OFF',
    '/var/lib/alta-auth',
    'file:',
    'file:/',
    'file:state',
    'file:./state',
    'file:~/state',
    'file:../../etc',
    'file://host/state',
    'file://user:pass@host/state',
    'file:/a file:/b',
    'file:/a,/b',
    'file:/a:/b',
    'file:/a%20b',
    'file:/a?b',
    'file:"/var/lib/alta-auth"',
    'FILE:/a',
    'leveldb:/a',
    'valkey:',
    'valkey://',
    'valkey://h:6379:6379',
    'valkey://h:65536',
    'valkey://h/zero',
    'valkey://h?db=1',
    'valkey://[::1',
    'valkey://::1',
    'valkey://user:pass@h:6379/0 file:/a',
    'redis://user:p@ss@h',
    'redis://h rediss://h',
    'REDISS://h',
    'unix:',
    'unix:valkey.sock',
    'unix:~/valkey.sock',
    `unix:/${'a'.repeat(107)}`,
  ],
  STATE_MODE: ['Single', 'cluster,sentinel', 'sentinel:', 'sentinel: main', 'replica'],
  STATE_PREFIX: ['{alta}', 'a*', 'alta auth:', 'ä', 'a'.repeat(65)],
  GATE_NAME: ['edge 1', '{edge}', 'edgë', 'a'.repeat(65), 'edge1,edge2'],
  STATE_MAX: ['64', '16 m', '64mb', '15m', '16383k', '0g', '-1g', 'all'],
  STATE_SECRET: [
    'secret',
    'correct horse battery staple',
    'a'.repeat(31),
    `${'a'.repeat(32)} ${'b'.repeat(31)}`,
    `${'a'.repeat(32)} ${'b'.repeat(32)} ${'c'.repeat(32)}`,
    `"${'a'.repeat(32)}"`,
    '='.repeat(32),
  ],
  STATE_TIMEOUT: ['100', '0ms', '2s', '1001ms', 'off', '-1ms'],
  EVENTS_URL: ['off', 'http', 'ftp://h/events', 'http://h:0/', 'http://a/ http://b/', 'http://user:pa ss@h/'],
  EVENTS_INTERIM: ['OFF', '10', '0', '0s', '-1s', 'session'],
  LOG_LEVEL: ['trace', 'Info', 'info,debug'],
  LOG_FORMAT: ['JSON', 'logfmt', 'json pretty'],
}

/** Names that are misspelt settings; each reads as the setting behind it. */
const misspelt = [
  'BACKEND_ULR',
  'default_action',
  'LISTN',
  'BACKENDURL',
  'ALLOW-TTL',
  'LOG_LEVELS',
  'MAX_SESSION',
]

interface Broken {
  readonly environment: Environment
  /** The names that must be reported, each once. */
  readonly names: readonly string[]
}

/**
 * The same hundred cases each time: first with one wrong setting, later with more and more of them, up to
 * all.
 */
function brokenConfigurations(): Broken[] {
  const chance = createChance(4_711)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item
  return Array.from({ length: 100 }, (_, n) => {
    const count = 1 + Math.floor((n * settingNames.length) / 100)
    const chosen = settingNames.toSorted(() => chance() - 0.5).slice(0, count)
    const environment: Record<string, string> = { BACKEND_URL: 'http://127.0.0.1:6000/auth' }
    for (const name of chosen) environment[name] = pick([...wrong[name], ...wrongEverywhere])
    const typos = n % 3 === 0 ? [pick(misspelt)] : []
    for (const name of typos) environment[name] = 'x'
    return { environment, names: [...chosen, ...typos] }
  })
}

/** Each name is reported once, on a line of its own that is safe for a terminal. */
function assertToldOnce(problems: readonly string[], { environment, names }: Broken): void {
  const shown = problems.map((problem) => problem.slice(0, 200)).join('\n')
  const what = `${JSON.stringify(environment).slice(0, 2_000)}\n${shown}`
  const told = problems.map((problem) => /^[\w-]+/.exec(problem)?.[0])
  assert.deepEqual(told.toSorted(), names.toSorted(), what)
  for (const problem of problems) {
    assert.doesNotMatch(problem, /[\x00-\x1f\x7f-\x9f\u2028\u2029]|\[object|undefined/, what)
    assert.ok(problem.length < 1_000, what)
  }
}

const broken = brokenConfigurations()

describe('a broken configuration', () => {
  test('is told in full, each problem once, whatever is wrong with it: 100 of them', (t) => {
    let problems = 0
    for (const one of broken) {
      const result = readSettings(one.environment)
      assert.ok(!result.ok, JSON.stringify(one.environment).slice(0, 2_000))
      assertToldOnce(result.problems, one)
      problems += result.problems.length
    }
    t.diagnostic(`${broken.length} configurations, ${problems} problems`)
  })

  for (const name of settingNames) {
    test(`${name}: each wrong value alone is one problem`, () => {
      for (const value of [...wrong[name], ...wrongEverywhere]) {
        const environment = { BACKEND_URL: 'http://127.0.0.1:6000/auth', [name]: value }
        const result = readSettings(environment)
        assertToldOnce(result.ok ? [] : result.problems, { environment, names: [name] })
      }
    })
  }

  test('a credential in a list twice, or left out by a name that holds several, is one problem', () => {
    for (const [TOKEN_PARAM, IGNORED_PARAMS] of [
      ['token token', 'token'],
      ['token key', '*'],
    ]) {
      const environment = { BACKEND_URL: 'http://h/', TOKEN_PARAM, IGNORED_PARAMS }
      const result = readSettings(environment)
      assertToldOnce(result.ok ? [] : result.problems, { environment, names: ['IGNORED_PARAMS'] })
    }
  })

  for (const [index, one] of broken.entries()) {
    if (index % 22 !== 11) continue
    test(`number ${index} ends the program with code 2, its ${one.names.length} problems and no stack`, async (t) => {
      const main = startMain(t, one.environment)
      assert.equal(await main.exited, 2, main.stderr())
      assert.equal(main.stdout(), '')
      const [head = '', ...lines] = main.stderr().trimEnd().split('\n')
      const count = one.names.length
      assert.match(head, new RegExp(`^alta-auth: ${count} problems? in the settings`))
      assert.ok(
        lines.every((line) => line.startsWith('  - ')),
        main.stderr(),
      )
      assertToldOnce(
        lines.map((line) => line.slice('  - '.length)),
        one,
      )
      assert.doesNotMatch(main.stderr(), /^\s+at |\.[jt]s:\d+|Error:/m)
    })
  }
})
