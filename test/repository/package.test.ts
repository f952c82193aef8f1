import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../support/free-port.ts'
import { get } from '../support/http-get.ts'
import { startMain } from '../support/main-process.ts'
import { suiteScope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** What goes into the package, and what is needed to make it. */
const sources = [
  ...['package.json', 'tools/bundle.mjs', 'src', 'README.md', 'LICENSE'],
  ...(manifest.files as string[]).map((file) => file.split('/')[0] ?? '').filter((name) => name !== 'dist'),
]

/** npm on a slow and busy machine, in milliseconds. */
const PATIENCE = 120_000

describe('the npm package, made and installed', () => {
  const scope = suiteScope()
  const elsewhere = makeTemporaryFolder(scope)
  const prefix = join(elsewhere, 'prefix')
  const installed = join(prefix, 'lib', 'node_modules', 'alta-auth')
  const command = join(prefix, 'bin', 'alta-auth')
  let tarball = ''

  const run = (program: string, parameters: readonly string[], cwd = elsewhere): string => {
    // Without npm's own variables of this test run, which would be settings of the npm below.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
    const { status, stdout, stderr } = spawnSync(program, parameters, {
      cwd,
      env,
      encoding: 'utf8',
      timeout: PATIENCE,
    })
    assert.equal(status, 0, `${program} ${parameters.join(' ')}\n${stdout}${stderr}`)
    return stdout
  }

  before(() => {
    // In a copy: making the package builds anew, and other tests run what is built.
    const copy = makeTemporaryFolder(scope)
    for (const source of sources) cpSync(join(root, source), join(copy, source), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    // What an earlier build has left behind must not be delivered.
    cpSync(join(copy, 'LICENSE'), join(copy, 'dist', 'left-behind.js'), { recursive: true })

    tarball = join(copy, run('npm', ['pack', '--silent'], copy).trim())
    run('npm', ['install', '--global', '--prefer-offline', '--silent', '--prefix', prefix, tarball])
  })

  test('is in order for publint', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js')
    assert.match(run(process.execPath, [publint, 'run', '--strict', tarball]), /All good!/)
  })

  test('gives the command alta-auth, in any folder', () => {
    assert.equal(run(command, ['--version']), `${manifest.version}\n`)
    assert.match(run(command, ['--help']), /^alta-auth: .*\n\nUsage: alta-auth /)
    const { stdout } = spawnSync(command, ['config'], {
      cwd: elsewhere,
      env: { PATH: process.env['PATH'], BACKEND_URL: 'http://127.0.0.1:6000/auth' },
      encoding: 'utf8',
    })
    assert.match(stdout, /^BACKEND_URL=http:\/\/127\.0\.0\.1:6000\/auth +# environment$/m)
  })

  test('brings LevelDB ready-made: nothing is compiled, and no install script is needed', (t) => {
    const bare = makeTemporaryFolder(t)
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      cpSync(join(root, file), join(bare, file))
    run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--silent'], bare)
    const script = `const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('store')
      db.put('a', '1').then(() => db.get('a')).then(console.log).then(() => db.close())`
    assert.equal(run(process.execPath, ['-e', script], bare), '1\n')
  })

  test('serves, and ends as asked', async (t) => {
    const [port, adminPort] = [await findFreePort(), await findFreePort()]
    const main = startMain(
      t,
      {
        BACKEND_URL: 'http://127.0.0.1:6000/auth',
        LISTEN: `127.0.0.1:${port}`,
        ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      },
      { command: [command, 'serve'] },
    )
    await main.listening()
    const { status, body } = await get({ port: adminPort }, '/readyz')
    assert.deepEqual([status, JSON.parse(body).ready], [200, true])
    const page = await get({ port: adminPort }, '/')
    for (const [, file = ''] of page.body.matchAll(/(?:src|href)="([\w-]+\.\w+)"/g))
      assert.equal((await get({ port: adminPort }, `/${file}`)).status, 200, file)
    assert.match(page.body, /<title>alta-auth/)
    main.signal('SIGTERM')
    assert.equal(await main.exited, 0)
  })

  test('brings what the installation copies from it, and the pages', () => {
    const commands = readFileSync(join(root, 'docs', 'install.md'), 'utf8')
    const copied = [
      ...commands.matchAll(/(?:\$package|\/usr\/local\/lib\/node_modules\/alta-auth)\/([\w./-]*[\w])/g),
    ]
    assert.ok(copied.length >= 6, `${copied.length} paths in docs/install.md`)
    for (const [, path = ''] of copied) assert.ok(existsSync(join(installed, path)), path)
    for (const page of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs/install.md'])
      assert.ok(existsSync(join(installed, page)), page)
  })

  test('brings nothing else: no sources, tests or leftovers', () => {
    const files = run('tar', ['-tf', tarball]).trim().split('\n')
    const strange = files.filter(
      (file) =>
        !/^package\/(?:dist\/main\.js|dist\/third-party-notices\.txt|live-page\/[\w-]+\.(?:css|html|js)|(?:nginx|systemd|examples|monitoring|fail2ban)\/.+|docs\/[\w-]+\.md|[A-Z]+(?:\.md)?|package\.json|\.env\.example)$/.test(
          file,
        ),
    )
    assert.deepEqual(strange, [])
    assert.ok(!files.includes('package/dist/left-behind.js'))
  })
})
