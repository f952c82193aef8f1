import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { showSettings } from '../../src/cli/show-settings.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { settingNames } from '../../src/config/settings-table.ts'
import { mainFile } from '../support/main-process.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

/** Runs the program as a person would, in a folder with this `.env`. */
function run(
  scope: Scope,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  dotenv?: string,
) {
  const cwd = makeTemporaryFolder(scope)
  if (dotenv !== undefined) writeFileSync(join(cwd, '.env'), dotenv)
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, ...parameters], {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status, stdout, stderr }
}

describe('the command line', () => {
  for (const parameters of [['--help'], ['-h'], ['help'], ['serve', '--help']]) {
    test(`${parameters.join(' ')} prints the help, with every command and exit code`, (t) => {
      const { status, stdout, stderr } = run(t, parameters)
      assert.deepEqual([status, stderr], [0, ''])
      for (const word of [
        'serve',
        'config',
        'check',
        '--version',
        'BACKEND_URL',
        'Exit codes: 0',
        '1 could',
        '2 settings',
      ])
        assert.ok(stdout.includes(word), word)
    })
  }

  for (const parameters of [['--version'], ['-v']]) {
    test(`${parameters.join(' ')} prints the version of package.json`, (t) => {
      const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
      assert.deepEqual(run(t, parameters), { status: 0, stdout: `${version}\n`, stderr: '' })
    })
  }

  const mistakes: readonly (readonly [parameters: readonly string[], told: string])[] = [
    [['srve'], '"srve" is no command, did you mean serve?; see alta-auth --help'],
    [['restart'], '"restart" is no command; see alta-auth --help'],
    [['serve', 'now'], '"serve" takes nothing more, but found "now"; see alta-auth --help'],
    [['--port=80'], "Unknown option '--port'; see alta-auth --help"],
  ]
  for (const [parameters, told] of mistakes) {
    test(`${parameters.join(' ')} is told in one sentence, exit code 2`, (t) => {
      assert.deepEqual(run(t, parameters), { status: 2, stdout: '', stderr: `alta-auth: ${told}\n` })
    })
  }
})

describe('alta-auth config', () => {
  const linesOf = (stdout: string): ReadonlyMap<string, string> =>
    new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => [line.split('=')[0] ?? '', line.replace(/ {2,}/, ' ')]),
    )

  test('prints every setting and where it comes from', (t) => {
    const { status, stdout, stderr } = run(
      t,
      ['config'],
      { MIDDLEWARE: 'ministra', DENY_TTL: '7s' },
      'BACKEND_URL=http://127.0.0.1:6000/\nDENY_TTL=9s\nLOG_LEVEL=debug\n',
    )
    assert.deepEqual([status, stderr], [0, ''])
    const lines = linesOf(stdout)
    assert.deepEqual([...lines.keys()], settingNames)
    assert.equal(lines.get('BACKEND_URL'), 'BACKEND_URL=http://127.0.0.1:6000/ # .env')
    assert.equal(lines.get('DENY_TTL'), 'DENY_TTL=7s # environment')
    assert.equal(lines.get('LOG_LEVEL'), 'LOG_LEVEL=debug # .env')
    assert.equal(lines.get('ALLOW_TTL'), 'ALLOW_TTL=session # MIDDLEWARE')
    assert.equal(lines.get('UNAVAILABLE_STATUS'), 'UNAVAILABLE_STATUS=502 503 504 # MIDDLEWARE')
    assert.equal(lines.get('STALE_TTL'), 'STALE_TTL=1h # default')
  })

  const secrets = [
    'http://user:hunter2@one.example/auth?key=sesame, https://two.example/?k=sesame',
    'http://user:hunter2,x@one.example/',
    'http://user:hunter2 x@one.example/',
    'user:hunter2@one.example',
  ]
  for (const url of secrets)
    test(`shows no secret of ${url}`, () => {
      const environment = { BACKEND_URL: url }
      const text = showSettings({ environment, fromFile: {}, file: undefined, place: 'the environment' })
      assert.doesNotMatch(text, /hunter2|sesame/)
      const result = readSettings(environment)
      if (!result.ok) assert.doesNotMatch(result.problems.join('\n'), /hunter2|sesame/)
    })

  test('a problem is told behind the list, exit code 2', (t) => {
    const { status, stdout, stderr } = run(t, ['config'], { BACKEND_URL: 'http://b/', DENY_TTL: 'soon' })
    assert.equal(status, 2)
    assert.match(stdout, /^DENY_TTL=soon +# environment$/m)
    assert.match(stderr, /^alta-auth: 1 problem in the settings.*\n {2}- DENY_TTL=soon /)
  })
})
