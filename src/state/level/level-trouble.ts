import { StoreError, type StoreTrouble } from '../record-store.ts'

type DiskTrouble = Exclude<StoreTrouble, 'refused' | 'password' | 'read-only'>

const cures: Readonly<Record<DiskTrouble, string>> = {
  'in-use': 'another process uses it; give each gate a folder of its own',
  rights: 'not all files in it are ours; give them to the user that runs the gate (chown -R), or remove them',
  foreign: 'it holds something else; choose another folder',
  damaged: 'what it holds cannot be read; it is set aside when it is opened again',
  full: 'there is no room on its disk; make room',
  timeout: 'its disk does not answer in time',
  failed: 'its disk reports an error; look at the log of the kernel',
}

/** What an error of LevelDB or of the file system means for a store in this folder. */
export function storeErrorOf(error: unknown, folder: string): StoreError {
  if (error instanceof StoreError) return error
  const trouble = troubleOf(error)
  return new StoreError(trouble, `the store ${folder}: ${cures[trouble]}`, error)
}

/**
 * LevelDB tells the kind of an error of the system only by its text. A file that is missing or too short is
 * damage (LevelDB calls the latter an invalid argument), and so is a block that the disk cannot read: opened
 * again, the store would fail at it again.
 */
function troubleOf(error: unknown): DiskTrouble {
  const said = textOf(error)
  return kinds.find(([pattern]) => pattern.test(said))?.[1] ?? 'failed'
}

const kinds: readonly (readonly [RegExp, DiskTrouble])[] = [
  [/LEVEL_LOCKED/, 'in-use'],
  [/No space left|ENOSPC|Disk quota exceeded|EDQUOT/, 'full'],
  [/Permission denied|Operation not permitted|EACCES|EPERM/, 'rights'],
  [/LEVEL_CORRUPTION|No such file|Invalid argument|Input\/output error|EIO|EISDIR/, 'damaged'],
]

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  return `${code} ${error.message} ${error.cause === undefined ? '' : textOf(error.cause)}`
}
