// Three tiers, one rule: where a test lies, and what it imports, say when it runs.
// npm run test:quick: types, style, and the tests of which all happens in their own process.
// npm test: these, and those that start other programs.
// npm run test:long: the tests below test/long/, and more rounds of the usual ones that have rounds.
// npm test -- FILES: only these files, or all files in these folders.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ensurePackages, ensurePrograms, root, say } from './prepare.mjs'
import { doesImport, isInProcess, programsFor } from './test-needs.mjs'

/**
 * Seconds without the begin or end of a test after which a process counts as hung
 * (test/support/watchdog.mjs).
 */
const PATIENCE = { usual: 120, long: 900 }
/**
 * To start Node and to load the sources takes a second or two, longer than most tests. So files share
 * processes: in-process ones are divided among so many, so that none has all of the slow ones, and of the
 * others so many share one, since they wait.
 */
const SHARES = 8
const TOGETHER = 6
/**
 * The most files at a time. With four, `npm test` took as long on two cores, and two runs of four were red.
 */
const AT_ONCE = 3
const QUICK_AT_ONCE = 4
/**
 * Files named .alone.test.ts, all of them below test/long/, fill the machine, or measure what it can do,
 * while nginx and gates have to keep their deadlines. Beside others they fail where a machine is slow.
 */
const ALONE = 1
/**
 * The most repeated attempts of `patientTest` in a whole run. On two cores with a load of 4 to 8 from other
 * programs, two of 5,007 tests were repeated; with a load of 17 to 20, eleven.
 */
const RETRIES = 8
/** Below test/long/: they take minutes, mostly of waiting, and judge times, so they begin before others. */
const FIRST = ['limit/', 'state-faults']

const [mode = '', ...more] = process.argv.slice(2)
const long = `${join(root, 'test', 'long')}${sep}`
const isLong = (/** @type {string} */ file) => file.startsWith(long)
const isFirst = (/** @type {string} */ file) => FIRST.some((name) => file.startsWith(`${long}${name}`))
const isAlone = (/** @type {string} */ file) => file.endsWith('.alone.test.ts')

const folder = mkdtempSync(join(tmpdir(), 'alta-auth-run-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
process.on('exit', () => process.stderr.write(`This took ${Math.round(performance.now() / 1000)} s.\n`))

ensurePackages()
const all = testFiles()
const usual = all.filter((file) => !isLong(file))
if (mode === '--long') {
  const files = all.filter((file) => isLong(file) || doesImport(file, 'test/support/rounds.ts'))
  process.env['TEST_LONG'] = '1'
  prepare(files)
  const others = files.filter((file) => !isAlone(file))
  run([...others.filter(isFirst), ...others.filter((file) => !isFirst(file))])
  run(files.filter(isAlone), ALONE)
} else if (mode === '--quick') {
  process.on('exit', () => sayWhatElse(usual.filter((file) => !isInProcess(file))))
  check()
  run(usual.filter(isInProcess), QUICK_AT_ONCE)
} else if (mode === '') {
  check()
  prepare(usual)
  run(usual)
} else {
  const files = [mode, ...more].map((path) => resolve(root, path)).flatMap(filesOf)
  prepare(files)
  run(files)
}

function check() {
  say('checking types and style')
  step('npm', ['run', '--silent', 'check'])
}

/** @param {readonly string[]} files */
function prepare(files) {
  ensurePrograms(programsFor(files))
  if (!files.every(isInProcess)) ensureBuilt()
}

/**
 * @param {readonly string[]} files
 * @param {number} [atOnce]
 */
function run(files, atOnce = AT_ONCE) {
  if (files.length === 0) return
  // A run with a chosen number of rounds may take its time.
  const isPatient = files.some(isLong) || process.env['HISTORIES'] !== undefined
  const patience = isPatient ? PATIENCE.long : PATIENCE.usual
  const retries = join(folder, 'retries')
  writeFileSync(retries, '')
  const environment = { TEST_PATIENCE: String(patience), TEST_RETRIES: retries, ...process.env }
  step(
    process.execPath,
    [
      ...['--import', 'tsx', '--import', './test/support/watchdog.mjs'],
      '--test',
      // Failures are printed once more at the end, where a log that was cut still has them.
      '--test-reporter=spec',
      // The last resort, for a whole process with perhaps many files.
      `--test-timeout=${6_000 * patience}`,
      `--test-concurrency=${atOnce}`,
      ...together(files.filter((file) => !isInProcess(file))),
      ...shared(files.filter(isInProcess)),
    ],
    environment,
  )
  judgeRetries(readFileSync(retries, 'utf8'))
}

/**
 * Files that load several in-process test files each.
 * @param {readonly string[]} files
 * @returns {readonly string[]}
 */
function shared(files) {
  if (files.length < SHARES) return files
  return Array.from({ length: SHARES }, (_, share) =>
    inOneProcess(
      `share-${share + 1}`,
      files.filter((_file, at) => at % SHARES === share),
    ),
  )
}

/**
 * The same for files that start other processes. A few files stay alone, so that few are waited for, and so
 * do those that take minutes.
 * @param {readonly string[]} files
 * @returns {readonly string[]}
 */
function together(files) {
  if (files.length < SHARES * TOGETHER || files.some(isLong)) return files
  const groups = Math.ceil(files.length / TOGETHER)
  return Array.from({ length: groups }, (_, group) =>
    inOneProcess(
      `group-${group + 1}`,
      files.filter((_file, at) => at % groups === group),
    ),
  )
}

/**
 * A file that loads these. No test begins before all are loaded.
 * @param {string} name
 * @param {readonly string[]} files
 * @returns {string}
 */
function inOneProcess(name, files) {
  const entry = join(folder, `${name}.mjs`)
  const imports = files.map((file) => `await import('${pathToFileURL(file)}')`)
  writeFileSync(
    entry,
    `import { test } from 'node:test'
let loaded
test('${files.length} files in one process', () => new Promise((resolve) => { loaded = resolve }))
${imports.join('\n')}
loaded()
`,
  )
  return entry
}

/** @param {string} text a line for each attempt that was repeated */
function judgeRetries(text) {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.length > 0)
    process.stderr.write(`Tried again, as the machine was busy:\n  ${lines.join('\n  ')}\n`)
  // All tests that run at once in a process meet the same pause.
  const pauses = new Set(lines.map((line) => line.slice(line.lastIndexOf(': '))))
  if (pauses.size <= RETRIES) return
  process.stderr.write(
    `${lines.length} attempts were repeated, after more than ${RETRIES} pauses: a race may hide there.\n`,
  )
  process.exit(1)
}

/** @param {readonly string[]} files that did not run */
function sayWhatElse(files) {
  /** @type {Map<string, string[]>} */
  const rooms = new Map()
  for (const file of files) {
    const [, room = '', name = ''] = relative(root, file).replace('.test.ts', '').split(sep)
    rooms.set(room, [...(rooms.get(room) ?? []), name])
  }
  const lines = Array.from(rooms, ([room, names]) => `  ${room}/ ${names.join(', ')}`)
  process.stderr.write(`Not run, as they need other processes: npm test runs them too.
${lines.join('\n')}
Not run, as they take minutes: ${all.filter(isLong).length} files below test/long/. npm run test:long runs them.
`)
}

/**
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {NodeJS.ProcessEnv} [env]
 */
function step(program, parameters, env = process.env) {
  const done = spawnSync(program, parameters, { cwd: root, stdio: 'inherit', env })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

/** @param {string} path of a file, or of a folder */
function filesOf(path) {
  const inside = all.filter((file) => file.startsWith(`${path}${sep}`))
  return inside.length > 0 ? inside : [path]
}

/** @returns {string[]} */
function testFiles() {
  const folder = join(root, 'test')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name))
}
