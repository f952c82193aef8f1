import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../../support/scope.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const tools = fileURLToPath(new URL('../../../tools', import.meta.url))
const changelog =
  '# Changelog\n\n## Unreleased\n\n- Something new.\n\n## 0.2.0 - 2026-11-28\n\n- Something old.\n'

interface Repository {
  readonly folder: string
  git(...parameters: string[]): string
  release(...parameters: string[]): { readonly code: number | null; readonly said: string }
}

/** A small repository with the real tool; its `npm test` is this command. */
function makeRepository(scope: Scope, { tests = 'exit 0', changes = changelog } = {}): Repository {
  const folder = makeTemporaryFolder(scope)
  cpSync(tools, join(folder, 'tools'), { recursive: true })
  const program = {
    name: 'alta-auth',
    version: '0.2.0',
    type: 'module',
    scripts: { test: tests },
    files: ['CHANGELOG.md'],
  }
  const lock = {
    name: 'alta-auth',
    version: '0.2.0',
    lockfileVersion: 3,
    packages: { '': { name: 'alta-auth', version: '0.2.0' } },
  }
  for (const [name, text] of [
    ['package.json', JSON.stringify(program, undefined, 2)],
    ['package-lock.json', JSON.stringify(lock, undefined, 2)],
    ['CHANGELOG.md', changes],
    ['.gitignore', '*.tgz\n'],
  ] as const)
    writeFileSync(join(folder, name), text)
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...{
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
  }
  const git = (...parameters: string[]): string => {
    const done = spawnSync('git', parameters, { cwd: folder, env, encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    return done.stdout.trim()
  }
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'begin')
  const release = (...parameters: string[]) => {
    const done = spawnSync(process.execPath, ['tools/release.mjs', ...parameters], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    return { code: done.status, said: done.stdout + done.stderr }
  }
  return { folder, git, release }
}

describe('npm run release', () => {
  test('dates the changelog, sets the version, packs, commits and tags', (t) => {
    const { folder, git, release } = makeRepository(t)
    const { code, said } = release('0.3.0')
    assert.equal(code, 0, said)
    const date = new Date().toISOString().slice(0, 10)
    const made = changelog.replace('## Unreleased\n', `## Unreleased\n\n## 0.3.0 - ${date}\n`)
    assert.equal(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8'), made)
    assert.equal(git('show', '--no-patch', '--format=%s', 'v0.3.0^{commit}'), 'release: 0.3.0')
    assert.equal(git('rev-parse', 'v0.3.0^{commit}'), git('rev-parse', 'HEAD'))
    assert.deepEqual(git('show', '--name-only', '--format=').split('\n'), [
      'CHANGELOG.md',
      'package-lock.json',
      'package.json',
    ])
    for (const name of ['package.json', 'package-lock.json'])
      assert.match(git('show', `HEAD:${name}`), /"version": "0\.3\.0"/)
    assert.ok(existsSync(join(folder, 'alta-auth-0.3.0.tgz')))
    assert.equal(git('status', '--porcelain'), '')
  })

  const refusals = [
    ['a failing test', { tests: 'exit 1' }, ['0.3.0'], /npm test failed/],
    [
      'tests that leave a file behind',
      { tests: 'touch left' },
      ['0.3.0'],
      /left something behind:\n\?\? left/,
    ],
    [
      'nothing new',
      { changes: changelog.replace('- Something new.\n\n', '') },
      ['0.3.0'],
      /nothing under "## Unreleased"/,
    ],
    ['what is no version', {}, ['next'], /next is no version/],
    ['the version that it has', {}, ['0.2.0'], /0\.2\.0 does not come after 0\.2\.0/],
    ['an older version', {}, ['0.1.9'], /does not come after/],
    ['no version, and nobody to ask', {}, [], /Which version\?/],
  ] as const
  for (const [what, setup, parameters, says] of refusals) {
    test(`refuses ${what}, and changes nothing`, (t) => {
      const { git, release } = makeRepository(t, setup)
      const { code, said } = release(...parameters)
      assert.equal(code, 1)
      assert.match(said, says)
      assert.equal(git('rev-list', '--count', 'HEAD'), '1')
      assert.equal(git('diff', '--stat'), '')
      assert.equal(git('tag'), '')
    })
  }

  test('refuses a tree with changes', (t) => {
    const { folder, release } = makeRepository(t)
    writeFileSync(join(folder, 'new'), '')
    const { code, said } = release('0.3.0')
    assert.equal(code, 1)
    assert.match(said, /Commit or stash what has changed:\n\?\? new/)
  })

  test('refuses a version that has a tag', (t) => {
    const { git, release } = makeRepository(t)
    git('tag', 'v0.3.0')
    assert.match(release('0.3.0').said, /There is a tag v0\.3\.0 already/)
  })

  test('--dry-run checks, says what it would do, and changes nothing', (t) => {
    const { folder, git, release } = makeRepository(t)
    const { code, said } = release('0.3.0', '--dry-run')
    assert.equal(code, 0, said)
    assert.match(said, /would date CHANGELOG\.md, set 0\.3\.0, .* tag v0\.3\.0/)
    assert.deepEqual(
      [git('tag'), git('status', '--porcelain'), git('rev-list', '--count', 'HEAD')],
      ['', '', '1'],
    )
    assert.ok(!existsSync(join(folder, 'alta-auth-0.3.0.tgz')))
  })

  test('a release that cannot be packed is taken back', (t) => {
    const { folder, git, release } = makeRepository(t)
    const file = join(folder, 'package.json')
    const program = JSON.parse(readFileSync(file, 'utf8')) as { scripts: Record<string, string> }
    program.scripts['prepack'] = 'exit 1'
    writeFileSync(file, JSON.stringify(program, undefined, 2))
    git('commit', '--quiet', '--all', '--message', 'break')
    const { code, said } = release('0.3.0')
    assert.equal(code, 1)
    assert.match(said, /Everything is as it was/)
    assert.deepEqual(
      [git('tag'), git('status', '--porcelain'), git('rev-list', '--count', 'HEAD')],
      ['', '', '2'],
    )
  })
})
