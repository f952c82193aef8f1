import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../support/free-port.ts'
import { get, getVerdict } from '../support/http-get.ts'
import { startMain } from '../support/main-process.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A working directory with this `.env`. */
function folderWith(scope: Scope, env: string): string {
  const folder = makeTemporaryFolder(scope)
  writeFileSync(join(folder, '.env'), env)
  return folder
}

describe('starting', () => {
  test('npm start with wrong settings prints all problems, listens on nothing and ends with code 2', async (t) => {
    const [port, adminPort] = [await findFreePort(), await findFreePort()]
    const environment = {
      HOME: makeTemporaryFolder(t),
      npm_config_update_notifier: 'false',
      // An empty variable still counts more than a .env in this folder.
      BACKEND_URL: '',
      DEFAULT_ACTION: 'maybe',
      LISTEN: `127.0.0.1:${port}`,
      ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      DENY_TTL: '5',
      ALLOW_TLL: '1m',
    }
    const main = startMain(t, environment, { cwd: root, command: ['npm', 'start'] })
    assert.equal(await main.exited, 2)
    assert.match(main.stderr(), /4 problems in the settings/)
    for (const name of ['BACKEND_URL', 'DEFAULT_ACTION=maybe', 'DENY_TTL=5', 'ALLOW_TLL']) {
      assert.ok(main.stderr().includes(`  - ${name} `), `${name} is missing in:\n${main.stderr()}`)
    }
    assert.doesNotMatch(main.stdout(), /listening/)
    await assert.rejects(getVerdict({ port }), { code: 'ECONNREFUSED' })
    await assert.rejects(get({ port: adminPort }, '/healthz'), { code: 'ECONNREFUSED' })
  })

  test('one problem is called one problem', async (t) => {
    const main = startMain(t, {})
    assert.equal(await main.exited, 2)
    assert.match(
      main.stderr(),
      /^alta-auth: 1 problem in the settings \(environment or \.env\):\n {2}- BACKEND_URL /,
    )
    assert.equal(main.stdout(), '')
  })

  test('settings are read from .env in the working directory', async (t) => {
    const port = await findFreePort()
    const cwd = folderWith(
      t,
      `# mine\nBACKEND_URL=http://127.0.0.1:9/auth\nLISTEN="127.0.0.1:${port}"\nADMIN_LISTEN=off # none\nDEFAULT_ACTION=allow\n`,
    )
    const main = startMain(t, {}, { cwd })
    await main.listening()
    const { status, headers } = await getVerdict({ port })
    assert.equal(status, 200)
    assert.equal(headers['x-auth-source'], 'default')
  })

  test('the environment counts more than .env', async (t) => {
    const [port, other] = [await findFreePort(), await findFreePort()]
    const cwd = folderWith(t, `BACKEND_URL=nonsense\nLISTEN=127.0.0.1:${other}\nDEFAULT_ACTION=allow\n`)
    const environment = {
      BACKEND_URL: 'http://127.0.0.1:9/auth',
      LISTEN: `127.0.0.1:${port}`,
      ADMIN_LISTEN: 'off',
      DEFAULT_ACTION: '',
    }
    await startMain(t, environment, { cwd }).listening()
    assert.equal((await getVerdict({ port })).status, 403, 'empty in the environment is the default')
    await assert.rejects(getVerdict({ port: other }), { code: 'ECONNREFUSED' })
  })

  test('problems in .env are reported like all others, without its secrets', async (t) => {
    const cwd = folderWith(t, 'BACKEND_URL=http://user:hunter2@127.0.0.1:0/auth?key=sesame\nLOGLEVEL=debug\n')
    const main = startMain(t, {}, { cwd })
    assert.equal(await main.exited, 2)
    assert.match(main.stderr(), /2 problems.*\n.*\n.*/)
    assert.doesNotMatch(main.stderr() + main.stdout(), /hunter2|sesame/)
  })

  for (const [what, prepare] of [
    ['no .env', () => {}],
    ['a .env that is a folder', (cwd: string) => void mkdirSync(join(cwd, '.env'))],
  ] as const) {
    test(`${what}: the environment is enough`, async (t) => {
      const cwd = makeTemporaryFolder(t)
      prepare(cwd)
      const port = await findFreePort()
      const environment = { BACKEND_URL: 'http://127.0.0.1:9/auth', LISTEN: `127.0.0.1:${port}` }
      await startMain(t, { ...environment, ADMIN_LISTEN: 'off' }, { cwd }).listening()
    })
  }

  test('everything that is printed is a line of the log, nothing of dotenv', async (t) => {
    const cwd = folderWith(t, 'BACKEND_URL=http://127.0.0.1:9/auth\nADMIN_LISTEN=off\n')
    const main = startMain(t, { LISTEN: `127.0.0.1:${await findFreePort()}` }, { cwd })
    await main.listening()
    main.signal('SIGTERM')
    assert.equal(await main.exited, 0)
    assert.equal(main.stderr(), '')
    const messages = main
      .stdout()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message)
    assert.deepEqual(messages.slice(4), ['listening', 'stopping', 'stopped'])
    assert.match(messages[0] ?? '', /^DEFAULT_ACTION=deny: /)
    assert.match(messages[1] ?? '', /^CHANNEL_PATTERN is not set: /)
    assert.match(messages[2] ?? '', /^STATE_URL is not set: a restart forgets who plays/)
    assert.match(messages[3] ?? '', /^SESSION_LIMIT is not set: /)
  })

  test('LOG_FORMAT=pretty writes for people, and without colours where there is no terminal', async (t) => {
    const environment = { BACKEND_URL: 'http://127.0.0.1:9/auth', ADMIN_LISTEN: 'off', LOG_FORMAT: 'pretty' }
    const main = startMain(t, { ...environment, LISTEN: `127.0.0.1:${await findFreePort()}` })
    await until('the line', () => main.stdout().includes('listening'))
    assert.match(main.stdout(), /^\d\d:\d\d:\d\d\.\d{3} info {2}listening gate=127\.0\.0\.1:\d+ admin=off /m)
    assert.doesNotMatch(main.stdout(), /\x1b/)
  })
})
