// Installs what a fresh clone lacks, before anything else can run. So this file needs nothing but Node.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Prints one sentence that says what could not be done and what to do about it, and ends with 1.
 * @param {string} sentence
 * @returns {never}
 */
export function giveUp(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

/** Installs the npm packages of the lock file, unless they are there. */
export function ensurePackages() {
  const marker = join(root, 'node_modules', '.package-lock.json')
  const lock = join(root, 'package-lock.json')
  // Packages may be installed without those that build the program: with `--omit=dev`, or
  // NODE_ENV=production.
  const isWhole = existsSync(marker) && existsSync(join(root, 'node_modules', '.bin', 'esbuild'))
  if (isWhole && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return
  say('installing npm packages')
  run('npm', ['ci', '--silent', '--include=dev'], 'npm ci failed: see above; is the npm registry reachable?')
}

/**
 * Installs programs from Debian packages with apt, if this user may.
 * @param {Readonly<Record<string, string>>} packageOf program → Debian package. A program is a name (`name*`
 * when its version follows), or the absolute path of a file that is no program.
 */
export function ensurePrograms(packageOf) {
  const missing = Object.keys(packageOf).filter((program) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((program) => packageOf[program] ?? program))]
  const command = `apt-get install ${packages.join(' ')}`
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    giveUp(
      `${missing.join(' and ')} not found: install with "sudo ${command}" (Debian, Ubuntu) and start again.`,
    )
  }
  say(`installing ${packages.join(', ')}`)
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], 'apt-get update failed: see above', quiet)
  run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', ...packages],
    `${command} failed: see above`,
    quiet,
  )
}

/** Builds dist/ when it is missing or older than the sources, the packages or the way it is built. */
export function ensureBuilt() {
  const built = join(root, 'dist', 'main.js')
  const others = ['package-lock.json', 'tools/bundle.mjs'].map((name) => statSync(join(root, name)).mtimeMs)
  if (existsSync(built) && statSync(built).mtimeMs >= Math.max(newest(join(root, 'src')), ...others)) return
  say('building')
  run('npm', ['run', '--silent', 'build'], 'the build failed: see above')
}

/**
 * Prints a sentence on stderr.
 * @param {string} sentence
 */
export function say(sentence) {
  process.stderr.write(`${sentence} …\n`)
}

/**
 * @param {string} program
 */
function isInstalled(program) {
  if (isAbsolute(program)) return existsSync(program)
  // nginx is in /usr/sbin, which is not in every user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => folder !== '' && holds(folder, program))
}

/**
 * @param {string} folder
 * @param {string} program
 */
function holds(folder, program) {
  if (!program.endsWith('*')) return existsSync(join(folder, program))
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(program.slice(0, -1)))
}

/**
 * Runs a program in the repository, or gives up with the complaint.
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {string} complaint
 * @param {Readonly<Record<string, string>>} [environment]
 */
export function run(program, parameters, complaint, environment = {}) {
  // What a tool prints is for people. It goes to stderr, because only the result of the whole belongs on
  // stdout.
  const done = spawnSync(program, parameters, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...environment },
  })
  if (done.status !== 0) giveUp(complaint)
}

/**
 * The time of the newest file below a folder, in milliseconds.
 * @param {string} folder
 * @returns {number}
 */
function newest(folder) {
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs
  })
  return Math.max(0, ...times)
}
