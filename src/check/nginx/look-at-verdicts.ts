import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A full cache holds 65,536; some of them tell as much. */
const MOST_FILES = 5_000

/** How far in the future the youngest file of nginx's cache was written, in milliseconds; 0 where none can be read. */
export function writtenAhead(folder: string, now: number): number {
  const files = filesOf(folder).slice(0, MOST_FILES)
  return Math.max(0, ...files.map((file) => writtenAt(join(file.parentPath, file.name)) - now))
}

function filesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  } catch {
    return []
  }
}

/** nginx may have dropped it meanwhile. */
function writtenAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
