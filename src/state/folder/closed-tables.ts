import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The tables of a store that was closed in order. They were read without harm, so they need no look at their
 * checksums while they are the very same files. After a crash nothing is known: a damaged table may have been
 * its cause, and must not be read again.
 */
interface ClosedTables {
  /** The paths of those that have not changed since. It forgets them: the next process may crash. */
  take(): Promise<ReadonlySet<string>>
  /** The store was closed in order. */
  keep(): Promise<void>
}

/** @param folder LevelDB's own; it leaves files alone whose names it does not know */
export function createClosedTables(folder: string): ClosedTables {
  const file = join(folder, 'CLOSED')

  /** Name, size and time of the last change of each table. */
  const look = async (): Promise<Record<string, string>> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.ldb'))
    const marks = await Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs, ino } = await stat(join(folder, name))
        return [name, `${size} ${mtimeMs} ${ino}`] as const
      }),
    )
    return Object.fromEntries(marks)
  }

  return {
    async take() {
      try {
        const known = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
        await rm(file)
        const now = await look()
        const same = Object.keys(now).filter((name) => known[name] === now[name])
        return new Set(same.map((name) => join(folder, name)))
      } catch {
        return new Set()
      }
    },
    async keep() {
      await writeFile(file, JSON.stringify(await look()))
    },
  }
}
