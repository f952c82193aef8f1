// npm test: what is missing, types, lint, then all tests. Further arguments are test files: npm test -- test/query.test.ts

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, ensurePackages, ensurePrograms, root, say } from './prepare.mjs'

/** How long one file may take, in milliseconds: among all, and where it was chosen, perhaps with a larger number of rounds. */
const FILE_TIMEOUT = 240_000
const LONG_RUN = 900_000

ensurePackages()
ensurePrograms({
  nginx: 'nginx-light',
  php: 'php-cli',
  openssl: 'openssl',
  curl: 'curl',
  wrk: 'wrk',
  ffmpeg: 'ffmpeg',
  chromium: 'chromium',
  'systemd-analyze': 'systemd',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'fail2ban-regex': 'fail2ban',
  uwsgi: 'uwsgi',
  '/usr/lib/uwsgi/plugins/python3_plugin.so': 'uwsgi-plugin-python3',
  gunicorn: 'gunicorn',
  'php-fpm*': 'php-fpm',
  faketime: 'faketime',
})

const chosen = process.argv.slice(2)
if (chosen.length === 0) {
  say('checking types and style')
  step('npm', ['run', '--silent', 'check'])
}
ensureBuilt()

if (chosen.length > 0) runTests(chosen, LONG_RUN)
else {
  const files = testFiles(join(root, 'test'))
  // What measures speed has the machine to itself.
  runTests(
    files.filter((file) => !file.endsWith('.alone.test.ts')),
    FILE_TIMEOUT,
  )
  runTests(
    files.filter((file) => file.endsWith('.alone.test.ts')),
    FILE_TIMEOUT,
  )
}

/**
 * @param {readonly string[]} files
 * @param {number} timeout of one file, in milliseconds
 */
function runTests(files, timeout) {
  step(process.execPath, [
    '--import',
    'tsx',
    '--test',
    // What failed stands once more at the end, where a log that was cut still has it.
    '--test-reporter=spec',
    `--test-timeout=${timeout}`,
    // Much of it is waiting: three at once leave no core idle, also where there are only two.
    '--test-concurrency=3',
    ...files,
  ])
}

/**
 * @param {string} program
 * @param {readonly string[]} parameters
 */
function step(program, parameters) {
  const done = spawnSync(program, parameters, { cwd: root, stdio: 'inherit' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function testFiles(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name))
}
