import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, describe, test } from 'node:test'
import { checkNames } from '../../src/check/check-names.ts'
import { startBackend } from '../support/backend.ts'
import { request } from '../support/client.ts'
import { wrapNginx } from '../support/configured-nginx.ts'
import { readPage } from '../support/documentation/pages.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { mainFile, startMain } from '../support/main-process.ts'
import { type NginxOptions, startNginx } from '../support/nginx.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { readCheck, runCheck } from '../support/run-check.ts'
import { type Scope, suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'

/** A whole installation that runs; the result is the environment of its check. */
async function startInstallation(scope: Scope, nginx: Partial<NginxOptions> = {}, listen?: string) {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const own = {
    BACKEND_URL: `${backend.url}/auth`,
    ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
    CHANNEL_PATTERN: '^/live/([^/]+)/',
    STATE_URL: 'off',
    ...(listen === undefined ? {} : { LISTEN: listen }),
  }
  const gate = await startGate(scope, own)
  const settings = { LISTEN: gate.address, ...own }
  const running = await startNginx(scope, { gates: [settings.LISTEN], ...nginx })
  const bin = wrapNginx(dirname(running.snippets))
  return { backend, running, environment: { ...settings, PATH: `${bin}:${process.env['PATH']}` } }
}

/** One that several tests look at. */
const common = suiteScope()
let installation: Awaited<ReturnType<typeof startInstallation>>
before(async () => {
  installation = await startInstallation(common)
})

const kinds: readonly (readonly [what: string, nginx: Partial<NginxOptions>, isSocket: boolean])[] = [
  ['over TCP', {}, false],
  ['with the verdict cache', { verdictCache: true }, false],
  ['over a Unix socket', {}, true],
]

describe('in an installation that is right, check finds nothing', () => {
  for (const [what, nginx, isSocket] of kinds) {
    test(what, async (t) => {
      const listen = isSocket ? `unix:${join(makeTemporaryFolder(t), 'gate.sock')}` : undefined
      const { running, environment } =
        Object.keys(nginx).length > 0 || isSocket ? await startInstallation(t, nginx, listen) : installation
      const play = (token: string) => request({ port: running.port, target: `/index.m3u8?token=${token}` })
      assert.deepEqual([(await play('good')).status, (await play('bad')).status], [200, 403])

      const { ok, checks, code } = await readCheck(t, environment)
      assert.deepEqual(
        checks
          // A busy machine makes each backend slow.
          .filter(
            ({ name, result }) => result !== 'ok' && !(name === 'backend-latency' && result === 'warning'),
          )
          .map(({ name }) => name),
        ['backend-certificate'],
        JSON.stringify(checks, null, 1),
      )
      assert.deepEqual([ok, code], [true, 0])
      assert.deepEqual(
        checks.map(({ name }) => name),
        checkNames,
      )
      for (const { finding } of checks) assert.match(finding, /^.*[^.\s]$/)
    })
  }

  test('and says so in one line each', async (t) => {
    const { environment } = installation
    const { code, stdout, stderr } = await runCheck(t, environment)
    assert.deepEqual([code, stderr], [0, ''])
    const lines = stdout.split('\n')
    assert.match(stdout, /\n\nNothing failed, (?:1 warning, )?1 skipped\.\n$/)
    const own = lines.filter((line) => /^[✔–!]/.test(line))
    assert.equal(own.length, checkNames.length)
    for (const [index, name] of checkNames.entries())
      assert.match(own[index] ?? '', new RegExp(`^. ${name} +\\S`))
    assert.doesNotMatch(stdout, /\x1b|\r/)
  })
})

describe('check', () => {
  test('ends with 1 and the remedies when nothing runs at all', async (t) => {
    const environment = { BACKEND_URL: `http://127.0.0.1:${await findFreePort()}/auth`, PATH: '' }
    const ports = { LISTEN: `127.0.0.1:${await findFreePort()}`, ADMIN_LISTEN: 'off' }
    const { code, stdout, stderr } = await runCheck(t, { ...environment, ...ports })
    assert.deepEqual([code, stderr], [1, ''])
    assert.match(
      stdout,
      /^✘ backend-connection +127\.0\.0\.1:\d+: nothing listens there\n {23}→ is the backend running\?/m,
    )
    assert.match(stdout, /^– 6 checks +not tried: there is no connection \(backend-certificate, /m)
    assert.match(stdout, /\n\n\d failed, .*\d+ skipped\.\n$/)
  })

  test('ends soon, whatever is silent', async (t) => {
    const silent = await startRawBackend(t, () => {})
    const silentAdmin = await startRawBackend(t, () => {})
    const bin = makeTemporaryFolder(t)
    writeFileSync(join(bin, 'nginx'), '#!/bin/sh\nexec sleep 300\n')
    chmodSync(join(bin, 'nginx'), 0o755)
    const began = performance.now()
    const { checks, code } = await readCheck(t, {
      BACKEND_URL: `https://localhost:${silent.port}/auth ${silent.url}/auth ${silent.url}/other`,
      BACKEND_TIMEOUT: '1m',
      LISTEN: `127.0.0.1:${silent.port}`,
      ADMIN_LISTEN: `127.0.0.1:${silentAdmin.port}`,
      PATH: `${bin}:${process.env['PATH']}`,
    })
    const took = performance.now() - began
    assert.ok(took < 20_000, `${took} ms`)
    assert.equal(code, 1)
    const resultOf = (one: string) => checks.find(({ name }) => name === one)?.result
    assert.deepEqual(['backend-certificate', 'gate', 'admin', 'nginx'].map(resultOf), [
      'failed',
      'failed',
      'failed',
      'warning',
    ])
  })

  test('as a user who may not read the configuration of nginx, says so and fails nothing for it', async (t) => {
    const { environment } = installation
    const isRoot = process.getuid?.() === 0
    const other = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
    const bin = makeTemporaryFolder(t)
    chmodSync(bin, 0o755)
    // What it says to a user without rights, on a system whose files only root may read.
    const complaint =
      'nginx: [emerg] open() "/etc/nginx/secret.conf" failed (13: Permission denied) in /etc/nginx/nginx.conf:9'
    writeFileSync(join(bin, 'nginx'), `#!/bin/sh\necho '${complaint}' >&2\nexit 1\n`)
    chmodSync(join(bin, 'nginx'), 0o755)
    const PATH = `${bin}:${process.env['PATH']}`
    const { checks, code } = await readCheck(t, { ...environment, PATH }, other)
    const nginx = checks.find(({ name }) => name === 'nginx')
    assert.deepEqual([code, nginx?.result], [0, 'skipped'], JSON.stringify(checks))
    assert.match(nginx?.remedy ?? '', /as root.*sudo -E alta-auth check/)
    assert.equal(checks.find(({ name }) => name === 'nginx-log')?.result, 'skipped')
  })

  test('shows no secret: not the password of the URL, not its key, not the token', async (t) => {
    const { environment, backend } = installation
    const secret = {
      BACKEND_URL: `http://user:hunter2@127.0.0.1:${backend.port}/auth?key=hunter2`,
      ADMIN_TOKEN: 'hunter2-hunter2-hunter2',
    }
    for (const parameters of [[], ['--json']]) {
      const { stdout, stderr } = await runCheck(t, { ...environment, ...secret }, parameters)
      assert.doesNotMatch(stdout + stderr, /hunter2|dXNlcjpodW50ZXIy/)
    }
  })

  test('may be read by somebody who takes only the first line', async (t) => {
    const { environment } = installation
    const line = `${process.execPath} ${mainFile} check | head -n 1; echo "\${PIPESTATUS[0]}"`
    const main = startMain(t, environment, { command: ['bash', '-c', line] })
    await main.exited
    assert.match(main.stdout(), /^✔ settings .*\n0\n$/)
    assert.equal(main.stderr(), '')
  })
})

test('docs/check.md lists every check, in their order, and no other', () => {
  const rows = readPage('docs/check.md').prose.matchAll(/^\| `([\w-]+)` \| \S.* \| \S.* \|$/gm)
  const named = [...rows].map(([, name]) => name)
  const results = ['ok', 'warning', 'failed', 'skipped']
  assert.deepEqual(
    named.filter((name) => !results.includes(name ?? '')),
    checkNames,
  )
})

describe('check on a terminal', () => {
  /** Runs it in a terminal of its own. */
  async function inTerminal(environment: NodeJS.ProcessEnv): Promise<string> {
    const command = `${process.execPath} ${mainFile} check`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    await once(child, 'close')
    return output
  }

  test('shows colours and what it waits for, and wipes that out', async () => {
    const output = await inTerminal({ BACKEND_URL: `http://127.0.0.1:${await findFreePort()}/auth` })
    assert.match(output, /\x1b\[31m✘\x1b\[0m backend-connection/)
    assert.match(output, /\r\x1b\[K… asking http:\/\/127\.0\.0\.1:\d+\/auth\r\x1b\[K/)
    assert.match(output, /… looking for the gate and for nginx\r\x1b\[K/)
  })

  test('shows no colours with NO_COLOR', async () => {
    const output = await inTerminal({
      BACKEND_URL: `http://127.0.0.1:${await findFreePort()}/auth`,
      NO_COLOR: '1',
    })
    assert.match(output, /✘ backend-connection/)
    assert.doesNotMatch(output, /\x1b\[\d+m/)
  })
})
