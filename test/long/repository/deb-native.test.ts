import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { architectures, keepOneNative } from '../../../tools/deb-native.mjs'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** The version of Debian's libstdc++6 that first had it. */
const firstWith: Readonly<Record<string, number>> = {
  'GLIBCXX_3.4.11': 4.4,
  'GLIBCXX_3.4.21': 5.2,
  'GLIBCXX_3.4.29': 11,
  'CXXABI_1.3.9': 5.2,
}

/** What objdump says of a file: the libraries, and the newest version of each kind that it needs. */
function needsOf(file: string) {
  const told = execFileSync('objdump', ['-p', file], { encoding: 'utf8' })
  const newest = (kind: string): string | undefined => {
    const versions = [...told.matchAll(new RegExp(` (${kind}_([\\d.]+))$`, 'gm'))].map(([, , version = '']) =>
      version.split('.').map(Number),
    )
    const [last] = versions.sort((a, b) => b.reduce((order, part, at) => order || part - (a[at] ?? 0), 0))
    return last?.join('.')
  }
  const libraries = [...told.matchAll(/NEEDED +(\S+)/g)].map(([, name]) => name)
  return { libraries, newest }
}

describe('the native part of the Debian package', () => {
  for (const [architecture, { file, libraries }] of Object.entries(architectures)) {
    test(`for ${architecture}: the package depends on what ${file} needs`, () => {
      const needs = needsOf(join(modules, 'classic-level/prebuilds', file))
      const cxx = ['GLIBCXX', 'CXXABI'].map((kind) => firstWith[`${kind}_${needs.newest(kind)}`])
      const gcc = needs.newest('GCC')
      assert.equal(
        libraries,
        [
          `libc6 (>= ${needs.newest('GLIBC')})`,
          `libgcc-s1${gcc === undefined ? '' : ` (>= ${gcc})`}`,
          `libstdc++6 (>= ${Math.max(...cxx.map((first = Number.NaN) => first))})`,
        ].join(', '),
      )
      const known = ['libstdc++.so.6', 'libm.so.6', 'libgcc_s.so.1', 'libpthread.so.0', 'libc.so.6']
      assert.deepEqual(
        needs.libraries.filter((name = '') => !known.includes(name)),
        [],
      )
    })
  }

  test('is one file, with the licences of what is compiled into it, and it loads', (t) => {
    const folder = makeTemporaryFolder(t)
    const copy = join(folder, 'node_modules')
    const names = ['classic-level', 'abstract-level', 'napi-macros', 'node-gyp-build', 'level-supports']
    const needed = ['level-transcoder', 'module-error', 'maybe-combine-errors', 'is-buffer', 'buffer']
    for (const name of [...names, ...needed, 'base64-js', 'ieee754'])
      cpSync(join(modules, name), join(copy, name), { recursive: true })
    const own = Object.entries({ x64: 'amd64', arm64: 'arm64', arm: 'armhf' }).find(
      ([arch]) => arch === process.arch,
    )?.[1]
    const file = architectures[own ?? '']?.file ?? ''
    keepOneNative(copy, file)
    const level = join(copy, 'classic-level')
    const left = readdirSync(level, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.includes('/') && statSync(join(level, name)).isFile(),
    )
    assert.deepEqual(left.sort(), [
      'deps/leveldb/leveldb-1.20/LICENSE',
      'deps/snappy/snappy/COPYING',
      `prebuilds/${file}`,
    ])
    const script = `const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('store')
      db.put('a', '1').then(() => db.get('a')).then(console.log).then(() => db.close())`
    const said = execFileSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' })
    assert.equal(said, '1\n')
  })
})
