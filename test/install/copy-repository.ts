import { execFileSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** A folder with the files as git would clone them, with what is not committed yet. */
export function copyRepository(scope: Scope): string {
  const copy = makeTemporaryFolder(scope)
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const files = execFileSync('git', list, { cwd: repository, encoding: 'utf8' }).trim().split('\n')
  const there = files.filter((file) => existsSync(join(repository, file)))
  for (const file of there) cpSync(join(repository, file), join(copy, file))
  return copy
}
