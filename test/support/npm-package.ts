import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What goes into the package, and what is needed to make it. */
const sources = [
  ...['package.json', 'tools/bundle.mjs', 'src', 'README.md', 'LICENSE'],
  ...(manifest.files as string[]).map((file) => file.split('/')[0] ?? '').filter((name) => name !== 'dist'),
]
/** npm on a slow and busy machine, in milliseconds. */
const PATIENCE = 120_000

/** Runs a program, and returns what it printed. @throws unless it ends with 0 */
export function runIn(cwd: string, program: string, ...parameters: readonly string[]): string {
  // Without npm's own variables of this test run, which would be settings of the npm below.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  const options = { cwd, env, encoding: 'utf8', timeout: PATIENCE } as const
  const { status, stdout, stderr } = spawnSync(program, parameters, options)
  assert.equal(status, 0, `${program} ${parameters.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

/**
 * Makes the npm package in a copy of the repository, because that builds anew, and other tests run what is built.
 * Returns the path of the file.
 */
export function packPackage(scope: Scope): string {
  const copy = makeTemporaryFolder(scope)
  for (const source of sources) cpSync(join(root, source), join(copy, source), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // What an earlier build has left behind must not be delivered.
  cpSync(join(copy, 'LICENSE'), join(copy, 'dist', 'left-behind.js'), { recursive: true })
  return join(copy, runIn(copy, 'npm', 'pack', '--silent').trim())
}
