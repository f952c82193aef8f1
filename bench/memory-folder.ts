import { mkdtempSync, rmSync } from 'node:fs'
import type { Scope } from '../test/support/scope.ts'

/** A folder in memory, gone when the scope ends: where caches of tiny files belong, since making one on a disk costs more than a question. */
export function makeMemoryFolder(scope: Scope): string {
  const folder = mkdtempSync('/dev/shm/alta-auth-bench-')
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
