// LevelDB, which the store is built on, is the only part of the program that is made for one kind of
// processor.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { giveUp } from './prepare.mjs'

/**
 * Debian's name of an architecture → the file of classic-level for it (below `prebuilds/`, for the C
 * library of Debian), and the Debian packages that this file needs. A test compares them with the file.
 * @type {Readonly<Record<string, { file: string, libraries: string }>>}
 */
export const architectures = {
  amd64: {
    file: 'linux-x64/classic-level.node',
    libraries: 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)',
  },
  arm64: {
    file: 'linux-arm64/classic-level.armv8.node',
    libraries: 'libc6 (>= 2.17), libgcc-s1, libstdc++6 (>= 5.2)',
  },
  armhf: {
    file: 'linux-arm/classic-level.armv7.node',
    libraries: 'libc6 (>= 2.34), libgcc-s1 (>= 3.5), libstdc++6 (>= 11)',
  },
}

/** Of what is compiled into the file. They must be delivered with it. */
const licences = ['deps/leveldb/leveldb-1.20/LICENSE', 'deps/snappy/snappy/COPYING']

/**
 * Leaves of classic-level what runs on one architecture, without the sources.
 * @param {string} modules path of node_modules
 * @param {string} file as in `architectures`
 */
export function keepOneNative(modules, file) {
  const level = join(modules, 'classic-level')
  const kept = [`prebuilds/${file}`, ...licences]
  for (const name of kept)
    if (!existsSync(join(level, name))) giveUp(`classic-level has no ${name}: correct tools/deb-native.mjs.`)
  // Deepest first: a folder goes when it is empty.
  for (const name of readdirSync(level, { recursive: true, encoding: 'utf8' }).sort().reverse()) {
    if (!/^(?:prebuilds|deps|binding\.(?:cc|gyp))/.test(name)) continue
    if (!kept.some((one) => one === name || one.startsWith(`${name}/`)))
      rmSync(join(level, name), { recursive: true })
  }
  // Headers for its sources, and tests for the authors of such packages.
  for (const name of ['napi-macros', 'abstract-level/test', 'level-supports/test'])
    rmSync(join(modules, name), { recursive: true })
}
