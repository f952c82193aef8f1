import type { Stats } from 'node:fs'
import {
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { StoreError } from '../store-engine.ts'

/** The folder of a store: ours alone, since it holds tokens. */
interface StoreFolder {
  readonly path: string
  /** Where LevelDB keeps its files. */
  readonly sessions: string
  /** Where a damaged store is kept, for somebody to look at it. */
  readonly damaged: string
  /**
   * Where an empty LevelDB shares the lock of the store: whoever has opened it may put the store aside, which
   * itself may not be fit to be opened.
   */
  readonly guard: string
  /**
   * Looks whether it is ours, and changes nothing. `owner` is the user id of the gate; this process's unless
   * given.
   * @returns the paths of LevelDB's tables; undefined where there is no such folder
   * @throws {StoreError}
   */
  inspect(owner?: number): Promise<readonly string[] | undefined>
  /**
   * Creates it, or looks whether it is ours.
   * @returns the paths of LevelDB's tables
   * @throws {StoreError}
   */
  prepare(): Promise<readonly string[]>
  prepareGuard(): Promise<void>
  removeGuard(): Promise<void>
  /** Puts the store aside, in place of one that was put there before. */
  setAside(): Promise<void>
  /** Removes what is too old or too large. */
  tidy(): Promise<void>
  /** Bytes of LevelDB's files on the disk. */
  measure(): Promise<number>
  /**
   * Takes room that can be given up for a disk that is full, so that LevelDB can be opened and emptied.
   * Resolves with whether there is as much.
   */
  writeBallast(): Promise<boolean>
  giveUpBallast(): Promise<void>
  /** Bytes of the whole disk. */
  capacity(): Promise<number>
}

const BALLAST = { name: 'BALLAST', bytes: 4 * 1_048_576 }

/** How long a damaged store is kept, in milliseconds. */
const KEPT_ASIDE = 7 * 24 * 60 * 60 * 1000
/** LevelDB tells what it does in a file that only grows. Bytes on the disk. */
const LARGEST_LOG = 1024 * 1024

/** @param wall milliseconds of the wall clock, which the times of files are compared with */
export function createStoreFolder(folder: string, wall: () => number): StoreFolder {
  const path = resolve(folder)
  const sessions = join(path, 'sessions')
  const damaged = join(path, 'damaged')
  const guard = join(path, 'guard')
  const ballast = join(sessions, BALLAST.name)
  const parts = [sessions, damaged, guard]
  const inspect: StoreFolder['inspect'] = async (owner = process.getuid?.()) => {
    await checkParent(dirname(path), owner)
    const own = await lstat(path).catch(unless('ENOENT'))
    if (own === undefined) return undefined
    checkOwn(path, own, owner)
    const foreign = (await readdir(path)).find((name) => !parts.includes(join(path, name)))
    if (foreign !== undefined) throw foreignError(path, `it holds ${JSON.stringify(foreign)}`)
    for (const part of parts) {
      const stats = await lstat(part).catch(unless('ENOENT'))
      if (stats !== undefined) checkOwn(part, stats, owner)
    }
    const files = (await readdir(sessions).catch(unless('ENOENT'))) ?? []
    const tables = files.filter((name) => name.endsWith('.ldb'))
    // LevelDB takes a folder without this file for an empty one, and removes the files in it.
    if (tables.length > 0 && !files.includes('CURRENT'))
      throw new StoreError('damaged', `the store ${path} has lost its file CURRENT`)
    return tables.map((name) => join(sessions, name))
  }
  return {
    path,
    sessions,
    damaged,
    guard,
    inspect,
    async prepare() {
      await checkParent(dirname(path), process.getuid?.())
      await mkdir(path, { mode: 0o700 }).catch(unless('EEXIST'))
      return (await inspect()) ?? []
    },
    async prepareGuard() {
      await rm(guard, { recursive: true, force: true })
      await mkdir(guard, { mode: 0o700 })
      await link(join(sessions, 'LOCK'), join(guard, 'LOCK')).catch(unless('ENOENT'))
    },
    removeGuard: () => rm(guard, { recursive: true, force: true }),
    async setAside() {
      await rm(damaged, { recursive: true, force: true })
      await rename(sessions, damaged).catch(unless('ENOENT'))
      const now = wall() / 1000
      await utimes(damaged, now, now).catch(unless('ENOENT'))
    },
    async tidy() {
      const aside = await stat(damaged).catch(unless('ENOENT'))
      const isOld = aside !== undefined && Math.abs(wall() - aside.mtimeMs) > KEPT_ASIDE
      if (isOld) await rm(damaged, { recursive: true, force: true })
      const log = join(sessions, 'LOG')
      const told = await stat(log).catch(unless('ENOENT'))
      if (told !== undefined && told.blocks * 512 > LARGEST_LOG) await truncate(log)
    },
    async writeBallast() {
      if ((await stat(ballast).catch(unless('ENOENT'))) !== undefined) return true
      const written = writeFile(ballast, Buffer.alloc(BALLAST.bytes)).then(() => true)
      return await written.catch(async () => {
        // A part of it would only take the room that is left.
        await rm(ballast, { force: true })
        return false
      })
    },
    giveUpBallast: () => rm(ballast, { force: true }),
    async capacity() {
      const { blocks, bsize } = await statfs(path)
      return blocks * bsize
    },
    async measure() {
      const names = (await readdir(sessions).catch(() => [])).filter((name) => name !== BALLAST.name)
      const files = await Promise.all(names.map((name) => stat(join(sessions, name)).catch(() => undefined)))
      return files.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0)
    },
  }
}

/** Whoever may rename in the parent could put another folder in its place. A sticky bit prevents it. */
async function checkParent(parent: string, owner: number | undefined): Promise<void> {
  const stats = await lstat(parent).catch(unless('ENOENT'))
  if (stats === undefined)
    throw new StoreError('failed', `the store's parent folder ${parent} does not exist; create it`)
  if (stats.isSymbolicLink())
    throw new StoreError('rights', `${parent} is a symbolic link; name the folder that it leads to`)
  if (!stats.isDirectory()) throw foreignError(parent, 'it is no folder')
  const isWritable = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0
  if (isWritable)
    throw new StoreError('rights', `others may write to ${parent}; take that from them: chmod go-w ${parent}`)
  if (stats.uid !== 0 && stats.uid !== owner)
    throw new StoreError('rights', `${parent} belongs to somebody else; choose a folder below one of ours`)
}

function checkOwn(path: string, stats: Stats, owner: number | undefined): void {
  if (stats.isSymbolicLink())
    throw new StoreError('rights', `${path} is a symbolic link; name the folder that it leads to`)
  if (!stats.isDirectory()) throw foreignError(path, 'it is no folder')
  if (stats.uid !== owner)
    throw new StoreError(
      'rights',
      `${path} belongs to somebody else; give it to the user that runs the gate: chown -R`,
    )
  if ((stats.mode & 0o077) !== 0)
    throw new StoreError('rights', `others may read or write ${path}; take that from them: chmod 700 ${path}`)
}

function foreignError(path: string, what: string): StoreError {
  return new StoreError(
    'foreign',
    `${path} is no store of ours (${what}); choose a folder that is new or empty`,
  )
}

/** For `catch`: undefined in place of an error with this code. */
function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined
    throw error
  }
}
