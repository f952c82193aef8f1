import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The most files that are looked at. A full cache holds 65,536. */
const MOST_FILES = 5_000

/**
 * The milliseconds by which the newest file of nginx's cache is in the future; 0 when none can be read.
 * @param now wall clock in milliseconds
 */
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

/** 0 when nginx has removed the file meanwhile. */
function writtenAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
