import { access, constants, lstat, readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createStoreFolder } from '../../state/folder/store-folder.ts'
import { StoreError } from '../../state/store-engine.ts'

/** What lies where the store should be. Bytes. */
export interface LookedAtStore {
  /** Why a gate could not use it, from what its files show. */
  readonly trouble: StoreError | undefined
  /** This user may not look into it. */
  readonly hidden: boolean
  readonly free: number
  /** What the store takes already. */
  readonly used: number
  /** It is gone after a reboot. */
  readonly inMemory: boolean
  /** A damaged store that was put aside: its folder, and when, in milliseconds since 1970. */
  readonly aside: { readonly folder: string; readonly since: number } | undefined
}

/** Kinds of file systems that are memory (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/**
 * Looks at the folder and its files. It changes nothing, and does not open the store, which the gate holds.
 */
export async function lookAtStore(path: string): Promise<LookedAtStore> {
  const folder = createStoreFolder(path, Date.now)
  const parent = dirname(folder.path)
  const { trouble, hidden, exists } = await inspect(folder, parent)
  const place = exists ? folder.path : parent
  const disk = await statfs(place).catch(() => undefined)
  const aside = exists ? await stat(folder.damaged).catch(() => undefined) : undefined
  return {
    trouble,
    hidden,
    free: disk === undefined ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize,
    used: exists ? await sizeOf(folder.sessions) : 0,
    inMemory: disk !== undefined && IN_MEMORY.has(disk.type),
    aside: aside && { folder: folder.damaged, since: aside.mtimeMs },
  }
}

async function inspect(
  folder: ReturnType<typeof createStoreFolder>,
  parent: string,
): Promise<{ trouble: StoreError | undefined; hidden: boolean; exists: boolean }> {
  let exists = false
  try {
    const owner = await ownerOf(folder.path, parent)
    exists = (await folder.inspect(owner)) !== undefined
    if (!exists) await access(parent, constants.W_OK)
    return { trouble: undefined, hidden: false, exists }
  } catch (error) {
    if (error instanceof StoreError) return { trouble: error, hidden: false, exists: true }
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EROFS')
      return {
        trouble: new StoreError('rights', `${parent} is read-only; choose a folder that is not`),
        hidden: false,
        exists,
      }
    return { trouble: undefined, hidden: true, exists }
  }
}

/** The user id of the gate, as far as the folders tell: this check may run as another user. */
async function ownerOf(path: string, parent: string): Promise<number | undefined> {
  const [above, own] = await Promise.all([parent, path].map((one) => lstat(one).catch(() => undefined)))
  return above !== undefined && above.uid !== 0 ? above.uid : own?.uid
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
