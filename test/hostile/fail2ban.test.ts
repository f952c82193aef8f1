import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { is, readPage, root } from '../support/documentation/pages.ts'
import { startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { suiteScope } from '../support/scope.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** A forged line, but for what a client cannot send. */
const forged = (victim: string): string =>
  `${victim} [24/Nov/2026:13:25:54 +0000] "GET /live/x.m3u8" 403 153 verdict=deny source=backend reason=backend-403 ` +
  `session=Qe7x1c0lQ0G2mY8bq1h3nw user= request=c04b8e1d2f6a49738b5d6e7f8091a2b3 "bad"`

const victim = '192.0.2.99'

/** User-Agents that try to hide a line, or to look like one. */
const hostileAgents = [
  forged(victim),
  `" ${forged(victim)}`,
  `x"\n${forged(victim)}`.replaceAll('\n', '\\n'),
  `x\\x0a${forged(victim)}`,
  `verdict=allow source=session reason=riding session=a user= request=b "`,
  '" 200 1 verdict=allow source=backend reason=backend-200 session=a user= request=b "',
  '<HOST> %(ip)s {ip} $remote_addr',
  '\xff\xfe\xe9',
  'x'.repeat(2_000),
]

/** Paths that try the same; percent-encoded, as a client sends them. */
const hostilePaths = [
  forged(victim),
  `" 200 1 verdict=allow source=backend reason=backend-200 session=a user= request=b "x`,
  `]" 403 153 verdict=deny source=gate reason=bad-request session= user= request= "x`,
  ` [01/Jan/2001:00:00:00 +0000] ${victim}`,
  `<ADDR> \\x22 \\`,
  '\xff\xfe\u00e9',
].map(
  (text) =>
    `/live/${[...text].map((one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')}.m3u8`,
)

describe('fail2ban', () => {
  const scope = suiteScope()
  const folder = makeTemporaryFolder(scope)
  const configuration = join(folder, 'fail2ban')
  let nginx: Nginx
  let log = ''
  let began = 0
  let expected = 0
  let lines = 0
  const guesses = new Map<string, number>()

  /** One of the page's commands, with the log of this test and a copy of /etc/fail2ban. */
  const run = (command: string): string => {
    const script = command
      .replace('/var/log/nginx/live.access.log', log)
      .replaceAll('/etc/fail2ban', configuration)
      .replaceAll(/^(fail2ban-(?:client|regex))/gm, `$1 -c ${configuration}`)
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${script}\n${stdout}${stderr}`)
    return stdout
  }
  const commands = readPage('docs/access-log.md')
    .blocks.filter((block) => is(block, 'sh') && block.text.includes('fail2ban'))
    .map(({ text }) => text)

  before(async () => {
    cpSync('/etc/fail2ban', configuration, { recursive: true })
    const backend = await startBackend(scope)
    const release: (() => void)[] = []
    backend.answer = ({ target }, response) => {
      const token = new URLSearchParams(target.split('?')[1] ?? '').get('token') ?? ''
      const status = Number(/^\d{3}/.exec(token)?.[0] ?? 0)
      if (token === 'slow') release.push(() => response.writeHead(200).end())
      else if (status === 0 && release.length === 0) response.destroy()
      else response.writeHead(status === 0 ? 403 : status).end()
    }
    const gate = await startGate(scope, {
      BACKEND_URL: backend.url,
      BACKEND_CONCURRENCY: '4',
      DENY_TTL: '1m',
    })
    nginx = await startNginx(scope, {
      gates: [gate.address],
      files: { '/live/one/index.m3u8': '#EXTM3U\n', '/open/x': 'x' },
      // Viewers come with an address of their own.
      http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Viewer;',
      server: 'location /live/ { LOCATION } location /open/ { }',
    })
    log = join(nginx.root, '..', 'access.log')
    began = Math.floor(Date.now() / 1_000)

    const ask = async (
      address: string,
      token: string,
      status: number,
      {
        path = '/live/one/index.m3u8',
        userAgent = newViewer(),
        method = 'GET',
        headers = [] as string[],
      } = {},
    ): Promise<void> => {
      const target = token === '' ? path : `${path}?token=${token}`
      const all = [`X-Viewer: ${address}`, `User-Agent: ${userAgent}`, ...headers]
      const answer = await request({ port: nginx.port, target, method, headers: all })
      assert.equal(answer.status, status, `${target} ${userAgent}`)
      lines++
    }
    let tokens = 0
    const guess = async (address: string, more = {}, status = 403): Promise<void> => {
      await ask(address, `${status}-${++tokens}`, 403, more)
      guesses.set(address, (guesses.get(address) ?? 0) + 1)
      expected++
    }

    // Guessing.
    for (let n = 0; n < 5; n++) await guess('192.0.2.1')
    for (let n = 0; n < 3; n++) await guess('2001:db8::7', {}, 401)
    await guess('192.0.2.1', { method: 'HEAD' })
    for (const userAgent of hostileAgents) await guess('203.0.113.66', { userAgent })
    for (const path of hostilePaths) await guess('203.0.113.67', { path })

    // Not guessing: the same token again and again, as a simple player does.
    const userAgent = newViewer()
    await guess('192.0.2.3', { userAgent })
    for (let n = 0; n < 4; n++) await ask('192.0.2.3', `403-${tokens}`, 403, { userAgent })
    // The backend fails, or is asked at a wrong address.
    for (const status of [302, 404, 429, 500, 503]) {
      const userAgent = newViewer()
      for (let n = 0; n < 2; n++) await ask('192.0.2.4', `${status}`, 403, { userAgent })
    }
    await ask('192.0.2.5', 'silence', 403)
    // Refused without asking.
    await ask('192.0.2.6', '403', 403, { path: '/live/a%0d%0ab.m3u8' })
    await ask('192.0.2.6', `403&${'a=&'.repeat(600)}`, 403)
    // Three of four places are all that one address gets. The next one waits in vain, while the control question
    // is answered.
    const slow = Array.from({ length: 3 }, () => ask('192.0.2.7', 'slow', 200))
    await until('the questions', () => release.length === 3)
    await ask('192.0.2.7', '403-too-many', 403)
    for (const answer of release) answer()
    await Promise.all(slow)
    // Allowed, or not asked about, whatever the client says.
    for (const userAgent of hostileAgents) await ask('203.0.113.68', '200', 200, { userAgent })
    for (const path of hostilePaths) await ask('203.0.113.68', '200', 404, { path })
    for (const path of hostilePaths)
      await ask('203.0.113.68', '', 404, { path: path.replace('/live/', '/open/') })
    // No gate.
    await gate.service.stop()
    await ask('192.0.2.8', '403-nobody-asked', 403)
    await until('the log', () => nginx.accessLog().length === lines)
    for (const command of commands.filter((text) => text.startsWith('cp '))) run(command)
  })

  test('the lines are what this test means them to be', () => {
    const reasons = new Set(
      nginx.accessLog().map((line) => / reason=(\S*) session=\S* user=\S* request=/.exec(line)?.[1]),
    )
    for (const reason of ['remembered', 'backend-302', 'backend-500', 'unavailable-closed', 'control-bytes'])
      assert.ok(reasons.has(reason), reason)
    for (const reason of ['bad-request', 'too-many-questions', 'gate-unavailable', 'backend-200', '-'])
      assert.ok(reasons.has(reason), reason)
  })

  test('counts every guess, and nothing else', () => {
    const [command = ''] = commands.filter((text) => text.startsWith('fail2ban-regex'))
    const summary = run(command)
    assert.match(
      summary,
      new RegExp(`^Lines: ${lines} lines, 0 ignored, ${expected} matched, ${lines - expected} missed$`, 'm'),
    )
    // Every line was dated, by nginx's own time.
    assert.match(summary, new RegExp(`^\\|  \\[${lines}\\] \\^`, 'm'))
  })

  test('sees the guessers, IPv4 and IPv6, at the time of their guesses, and nobody else', () => {
    const printed = run(`fail2ban-regex -o '<time> <ip>' ${log} alta-auth`)
    const seen = new Map<string, number>()
    for (const line of printed.trim().split('\n')) {
      const [time = '', address = ''] = line.split(' ')
      seen.set(address, (seen.get(address) ?? 0) + 1)
      assert.ok(Number(time) >= began && Number(time) <= Date.now() / 1_000 + 1, line)
    }
    assert.deepEqual(seen, guesses)
  })

  test('counts other statuses where the jail says so', () => {
    const printed = run(`fail2ban-regex -o ip ${log} 'alta-auth[statuses="404|429"]'`)
    assert.equal(printed, '192.0.2.4\n192.0.2.4\n')
  })

  test('takes the jail as shipped', () => {
    const jail = join(configuration, 'jail.d', 'alta-auth.conf')
    const text = readFileSync(jail, 'utf8')
    assert.ok(text.includes('logpath = /var/log/nginx/live.access.log\n'))
    writeFileSync(jail, text.replace('/var/log/nginx/live.access.log', log))
    writeFileSync(join(configuration, 'jail.d', 'a-default.conf'), '[DEFAULT]\nbackend = systemd\n')
    const [command = ''] = commands.filter((one) => one.startsWith('fail2ban-client'))
    assert.match(run(command), /OK: configuration test is successful/)
    const dump = run('fail2ban-client -d')
    for (const line of [
      "['add', 'alta-auth', 'auto']",
      "['set', 'alta-auth', 'maxretry', 120]",
      "['set', 'alta-auth', 'findtime', '1m']",
      "['set', 'alta-auth', 'bantime', '10m']",
      `['set', 'alta-auth', 'addlogpath', '${log}', 'head']`,
    ])
      assert.ok(dump.includes(line), line)
  })
})
