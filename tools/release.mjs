// npm run release -- 0.3.0: checks, dates the changelog, sets the version, packs, commits and tags. Pushes
// and publishes nothing.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { dateChangelog } from './date-changelog.mjs'
import { giveUp, root, say } from './prepare.mjs'

const files = ['CHANGELOG.md', 'package.json', 'package-lock.json']
const changelog = join(root, 'CHANGELOG.md')
const parameters = process.argv.slice(2)
const dryRun = parameters.includes('--dry-run')
const current = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
const version = parameters.find((parameter) => !parameter.startsWith('-')) ?? (await askVersion())

if (!/^\d+\.\d+\.\d+$/.test(version)) giveUp(`${version} is no version: write three numbers, such as 0.3.0.`)
if (!isNewer(version, current))
  giveUp(`${version} does not come after ${current}, the version of package.json.`)
if (read('git', ['tag', '--list', `v${version}`]) !== '') giveUp(`There is a tag v${version} already.`)
refuseChanges('Commit or stash what has changed')
const dated = dateChangelog(readFileSync(changelog, 'utf8'), version, new Date().toISOString().slice(0, 10))
if (dated === undefined) giveUp('CHANGELOG.md has nothing under "## Unreleased": write there what changes.')

say('checking everything')
if (!run('npm', ['test'])) giveUp('npm test failed: see above. Nothing was released.')
refuseChanges('The tests have left something behind')

if (dryRun) {
  process.stdout.write(
    `would date CHANGELOG.md, set ${version}, make alta-auth-${version}.tgz, commit and tag v${version}\n`,
  )
} else {
  writeFileSync(changelog, dated)
  const isMade =
    run('npm', ['version', version, '--no-git-tag-version', '--silent']) &&
    run('npm', ['pack', '--silent']) &&
    run('git', ['commit', '--quiet', '--message', `release: ${version}`, ...files])
  if (!isMade) {
    run('git', ['checkout', '--quiet', 'HEAD', '--', ...files])
    giveUp('The release failed: see above. Everything is as it was.')
  }
  if (!run('git', ['tag', '--annotate', `v${version}`, '--message', version]))
    giveUp(
      `The commit is made, the tag is not: see above, then git tag --annotate v${version} --message ${version}`,
    )
  process.stdout.write(
    `released ${version}: look at it with git show, then push the commit and the tag v${version}\n`,
  )
}

/** @returns {Promise<string>} */
async function askVersion() {
  if (!process.stdin.isTTY) return giveUp('Which version? npm run release -- 0.3.0')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Which version comes after ${current}? `)
  terminal.close()
  return answer.trim()
}

/**
 * @param {string} one
 * @param {string} other
 */
function isNewer(one, other) {
  const [a = [], b = []] = [one, other].map((text) => text.split('.').map(Number))
  const at = a.findIndex((number, index) => number !== b[index])
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0)
}

/** @param {string} sentence */
function refuseChanges(sentence) {
  const changes = read('git', ['status', '--porcelain'])
  if (changes !== '') giveUp(`${sentence}:\n${changes}`)
}

/**
 * @param {string} program
 * @param {readonly string[]} given
 */
function read(program, given) {
  const done = spawnSync(program, given, { cwd: root, encoding: 'utf8' })
  if (done.status !== 0) giveUp(`${program} ${given.join(' ')} failed: ${done.stderr}`)
  return done.stdout.trim()
}

/**
 * @param {string} program
 * @param {readonly string[]} given
 */
function run(program, given) {
  return spawnSync(program, given, { cwd: root, stdio: ['ignore', 2, 2] }).status === 0
}
