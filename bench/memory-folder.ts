import { mkdtempSync, rmSync } from 'node:fs'
import type { Scope } from '../test/support/scope.ts'

/**
 * Makes a folder in memory, which is removed when the scope ends. It is for caches of tiny files: to create a
 * file on a disk costs more than a question.
 */
export function makeMemoryFolder(scope: Scope): string {
  const folder = mkdtempSync('/dev/shm/alta-auth-bench-')
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
