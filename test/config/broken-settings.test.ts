import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { type SettingName, settingNames } from '../../src/config/settings-table.ts'
import { createChance } from '../support/create-chance.ts'
import { wordsOf } from '../support/words.ts'

const long = 'a'.repeat(70_000)
/** What each message must hold besides name and value: what to do about it. */
const cure = /write|make one|one of|leave|put|take|shorten|percent-encode|separate|whole number from/

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

/** What is wrong for one setting only, as words; a `·` stands for a blank. */
const wrong: Readonly<Record<SettingName, string>> = {
  BACKEND_URL: `, http //h/a http:// http:///auth http://% ftp://127.0.0.1/auth file:///etc/passwd 127.0.0.1:6000/auth
    http://user:pa·ss@h/ https://h:99999 http://127.0.0.1:70000/auth http://127.0.0.1:0/auth http://[::1/auth
    http://127.0.0.1/auth#top http://127.0.0.1/aüth http://127.0.0.1/auth·here http://us%zer@127.0.0.1/auth
    http://127.0.0.1/auth;http://127.0.0.2/auth http://127.0.0.1/auth|https://127.0.0.2/auth`,
  BACKEND_MODE: 'all Failover any,failover ANY both',
  MIDDLEWARE: 'stalker Ministra constructor __proto__ flussonic',
  DEFAULT_ACTION: 'maybe ALLOW true 0 allow·deny yes',
  BACKEND_TIMEOUT: `2 2·s -1s 0s 2sec 1.5s 400d 61s 2,5s ١s 1e3ms ${'9'.repeat(400)}s 0x10s ∞`,
  BACKEND_CONCURRENCY: `3 10001 many 6.4 0 -64 64·64 NaN ${'9'.repeat(400)}`,
  UNAVAILABLE_STATUS: '50x 5xx 200 502·600 502;503 502-504 999 null',
  LISTEN: `9180 127.0.0.1 ::1:9180 127.0.0.1:65536 unix:run/gate.sock off ::: []:80 127.0.0.1:-1 unix: unix:gate.sock
    127.0.0.1:9180:9180`,
  ADMIN_LISTEN: `no localhost: unix:/${'a'.repeat(107)} OFF unix:~/admin.sock 127.0.0.1 [::1] http://127.0.0.1:9181`,
  ADMIN_TOKEN: `letmein all·you·need·is·love "0123456789abcdef" secret correct·horse·battery·staple
    Bearer·0123456789abcdef zwölfzwölfzwölf1 ${'='.repeat(32)}`,
  SESSION_LIMIT: 'REFUSE deny true Newest oldest on 1 newest·refuse',
  MAX_USER_SESSIONS: 'none 0 5000 -1 1001 2.5 two off',
  MIN_USER_SESSIONS: 'none 0 5000 -1 1001 1e1 one',
  ALLOW_TTL: '60 forever 0m Session 1m30s -1m 0',
  DENY_TTL: '5 never 0s session',
  STALE_TTL: '1hour session 1w 1·h never',
  DEFAULT_TTL: '0ms 2 2S .5s 9999d',
  SESSION_IDLE: '2min 00s two·minutes',
  NGINX_TTL: '10 10·s short',
  TOKEN_PARAM: 'token[] a.b token%20 , to·ken[ töken a=b %74oken token&key',
  IGNORED_PARAMS: 'a=b utm&x {CMCD} a.b a[]',
  SESSION_COOKIE: 'yes On true 1 STRICT lax',
  SESSION_COOKIE_SHARED: 'end refuse no 1 DENY',
  VIEWER_IPV6_PREFIX: '55 129 /64 off 64.0 -64',
  VIEWER_IPV4_PREFIX: '23 33 /24 off 0 1e1',
  CHANNEL_PATTERN: '( ^/live/( ^/live/ ^/live/(?:a|b)/ [z-a](x) (?:x) (x)\\',
  CREDENTIAL_PATTERN: ') ^/live/( ^/live/ ^/live/(?:a|b)/ ^/live/\\(x\\)/ [z-a](x) (?:x) (?=x) (x)\\',
  MAX_SESSIONS: '0 -1 1e5 10000001 many 100_000 ∞ 1.5',
  SESSION_MEMORY: '64 64·m 1mb -1m 1.5g 0m 512k half 1·g 64mb 1k ∞',
  SESSION_RESUME: '24 25h 2d session 0s Backend 0 never',
  STATE_URL: `on OFF /var/lib/alta-auth/state file: file:/ file:state file:./state file:~/state file:../../etc file://host/a
    file://user:pass@host/state file:/a·file:/b file:/a,/b file:/a:/b file:/a%20b file:/a?b file:"/var/lib/alta-auth"
    FILE:/a leveldb:/a valkey: valkey:// valkey://127.0.0.1:0 valkey://h:6379:6379 valkey://h:65536 valkey://h/zero
    valkey://h?db=1 valkey://[::1 valkey://::1 valkey://user:pass@h:6379/0·file:/a redis://user@h/0 redis://user:p@ss@h
    redis://h·rediss://h rediss://h/0/x REDISS://h unix: unix:valkey.sock unix:run/valkey.sock unix:~/valkey.sock
    unix:/${'a'.repeat(107)}`,
  STATE_MODE: 'Cluster sentinel sentinel: sentinel:a·b Single cluster,sentinel sentinel:·main replica',
  STATE_PREFIX: `aa{1}: a·b ${'a'.repeat(65)} {alta} a* ä`,
  GATE_NAME: `edge·1 edge1,edge2 ${'a'.repeat(65)} {edge} edgë`,
  STATE_MAX: '64 15m 1.5g most 16·m 64mb 16383k 0g -1g all',
  STATE_SECRET: `0123456789abcdef all·you·need·is·love "${'a'.repeat(32)}" secret ${'a'.repeat(31)} ${'='.repeat(32)}
    ${'a'.repeat(32)}·${'b'.repeat(31)} ${'a'.repeat(32)}·${'b'.repeat(32)}·${'c'.repeat(32)}`,
  STATE_TIMEOUT: '100 1100ms 0ms never 2s 1001ms off -1ms',
  EVENTS_URL:
    'localhost:8080 http://a/·http://b/ http://127.0.0.1:0/events off http ftp://h/events http://h:0/ http://user:pa·ss@h/',
  EVENTS_MIN_TIME: '0 on 1.5s OFF 10 0s -1s session',
  LOG_LEVEL: 'verbose INFO trace Info info,debug',
  LOG_FORMAT: 'text JSON logfmt json·pretty',
}
/** Wrong without a STATE_URL of Valkey's; where STATE_URL is wrong, too, nobody can say. */
const wrongAlone: readonly string[] = ['cluster', 'sentinel:main']
const valuesOf = (name: SettingName): string[] =>
  wordsOf(wrong[name]).map((value) => value.replaceAll('·', ' '))

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
    for (const name of chosen) environment[name] = pick([...valuesOf(name), ...wrongEverywhere])
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
    test(`${name}: each wrong value alone is one problem, with name, value and cure, and a secret is not shown`, () => {
      const alone = name === 'STATE_MODE' ? wrongAlone : []
      for (const value of [...valuesOf(name), ...alone, ...wrongEverywhere]) {
        const environment = { BACKEND_URL: 'http://127.0.0.1:6000/auth', [name]: value }
        const result = readSettings(environment)
        const problems = result.ok ? [] : result.problems
        assertToldOnce(problems, { environment, names: [name] })
        if (wrongEverywhere.includes(value)) continue
        const [problem = ''] = problems
        assert.match(problem.replace(value, ''), cure)
        const isSecret = name === 'ADMIN_TOKEN' || name === 'STATE_SECRET'
        if (isSecret) assert.ok(problem.startsWith(`${name}=***`) && !problem.includes(value), problem)
        else if (!/[?@#"]|^.{200}/.test(value) && !problem.startsWith('STATE_URL=*** '))
          assert.ok(problem.includes(value), problem)
      }
    })
  }
})
