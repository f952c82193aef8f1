import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { manifest, packPackage, root, runIn } from '../../support/npm-package.ts'
import { suiteScope } from '../../support/scope.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

describe('the npm package, installed by npm', () => {
  const scope = suiteScope()
  const elsewhere = makeTemporaryFolder(scope)
  const prefix = join(elsewhere, 'prefix')
  const command = join(prefix, 'bin', 'alta-auth')

  before(() => {
    const options = ['--global', '--prefer-offline', '--silent', '--prefix', prefix]
    runIn(elsewhere, 'npm', 'install', ...options, packPackage(scope))
  })

  test('gives the command alta-auth, in any folder', () => {
    assert.equal(runIn(elsewhere, command, '--version'), `${manifest.version}\n`)
    assert.match(runIn(elsewhere, command, '--help'), /^alta-auth: .*\n\nUsage: alta-auth /)
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
    runIn(bare, 'npm', 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--silent')
    const script = `const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('store')
      db.put('a', '1').then(() => db.get('a')).then(console.log).then(() => db.close())`
    assert.equal(runIn(bare, process.execPath, '-e', script), '1\n')
  })
})
