import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const prepare = fileURLToPath(new URL('../../tools/prepare.mjs', import.meta.url))
/** An account that is not root, on every Linux. */
const NOBODY = 65_534

interface Machine {
  /** Runs what a command does before it starts. Without root = as nobody. */
  ensure(call: string, options?: { readonly root?: false }): { code: number | null; said: string }
  /** What a package manager was called with, a line for each call. */
  called(): string
  readonly folder: string
}

/** A clone with only its tools, on a machine where `programs` are shell scripts and the only programs. */
function machineWith(t: TestContext, programs: Readonly<Record<string, string>>): Machine {
  const folder = makeTemporaryFolder(t)
  const bin = join(folder, 'bin')
  const log = join(folder, 'calls')
  mkdirSync(join(folder, 'tools'))
  mkdirSync(bin)
  cpSync(prepare, join(folder, 'tools', 'prepare.mjs'))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${log}\n${script}\n`, { mode: 0o755 })
  }
  for (const place of [folder, bin, join(folder, 'tools')]) chmodSync(place, 0o755)
  return {
    folder,
    called: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    ensure(call, { root = true } = {}) {
      const code = `import * as prepare from './tools/prepare.mjs'\nprepare.${call}`
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--input-type=module', '--eval', code],
        {
          cwd: folder,
          env: { PATH: bin },
          encoding: 'utf8',
          timeout: 60_000,
          ...(root ? {} : { uid: NOBODY, gid: NOBODY }),
        },
      )
      assert.equal(stdout, '', 'stdout is for results')
      return { code: status, said: stderr }
    },
  }
}

const isRoot = process.getuid?.() === 0
const want = `ensurePrograms({ 'no-such-nginx': 'nginx-light', 'no-such-php': 'php-cli' })`
const sentence =
  'no-such-nginx and no-such-php not found: install with "sudo apt-get install nginx-light php-cli" (Debian, Ubuntu) and start again.\n'

describe('what a fresh machine lacks', () => {
  test('programs that are there are left alone, without a word', (t) => {
    const machine = machineWith(t, { 'no-such-nginx': '', 'no-such-php': '', 'apt-get': '' })
    assert.deepEqual(machine.ensure(want), { code: 0, said: '' })
    assert.equal(machine.called(), '')
  })

  test('without apt, one sentence says what to install', (t) => {
    const machine = machineWith(t, {})
    assert.deepEqual(machine.ensure(want), { code: 1, said: sentence })
  })

  test('who is not root is told the same, and apt is not called', (t) => {
    const machine = machineWith(t, { 'apt-get': '' })
    // A user who runs this test without root is no root either way.
    assert.deepEqual(machine.ensure(want, isRoot ? { root: false } : {}), { code: 1, said: sentence })
    assert.equal(machine.called(), '')
  })

  if (isRoot) {
    test('as root, apt installs what is missing and nothing else', (t) => {
      const machine = machineWith(t, { 'apt-get': '', 'no-such-php': '' })
      assert.deepEqual(machine.ensure(want), { code: 0, said: 'installing nginx-light …\n' })
      const [update = '', install = '', ...more] = machine.called().trim().split('\n')
      assert.match(update, /^apt-get update/)
      assert.match(install, /^apt-get install -y .* nginx-light$/)
      assert.doesNotMatch(install, /php/)
      assert.deepEqual(more, [])
    })

    test('when apt fails, that is the end, with a sentence', (t) => {
      const machine = machineWith(t, { 'apt-get': 'if [ "$1" = install ]; then exit 100; fi' })
      const { code, said } = machine.ensure(want)
      assert.equal(code, 1)
      assert.match(said, /apt-get install nginx-light php-cli failed: see above\n$/)
    })
  }

  test('npm packages are installed with those that build, whatever NODE_ENV says, and only once', (t) => {
    const script = [
      'for one in "$@"; do if [ "$one" = --include=dev ]; then whole=yes; fi; done',
      '/bin/mkdir -p node_modules/.bin; : > node_modules/.package-lock.json',
      'if [ "$whole" = yes ]; then : > node_modules/.bin/esbuild; fi',
    ].join('\n')
    const machine = machineWith(t, { npm: script })
    writeFileSync(join(machine.folder, 'package-lock.json'), '{}')
    const installing = { code: 0, said: 'installing npm packages …\n' }
    // The packages were installed without them before.
    mkdirSync(join(machine.folder, 'node_modules'))
    writeFileSync(join(machine.folder, 'node_modules', '.package-lock.json'), '{}')
    assert.deepEqual(machine.ensure('ensurePackages()'), installing)
    assert.match(machine.called(), /^npm ci .*--include=dev/)
    assert.deepEqual(machine.ensure('ensurePackages()'), { code: 0, said: '' })
  })
})
