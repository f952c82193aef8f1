import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './scope.ts'

/** A folder that is gone when the scope ends. */
export function makeTemporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'alta-auth-test-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
