import type { ClassicLevel } from 'classic-level'
import { StoreError, type StoreTrouble } from '../store-engine.ts'

/** One step of a batch. Without a value the key is removed. */
export interface Step {
  readonly key: string
  readonly value?: Buffer
}

/** What is needed of LevelDB, so that a test may put a hung or failing disk in its place. */
export interface Level {
  open(): Promise<void>
  getMany(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  /** All steps or none. With `sync` they are on the disk when it resolves. */
  batch(steps: readonly Step[], sync: boolean): Promise<void>
  /** Keys and values in order of the keys, from this key on: at most `most`, and about a megabyte. */
  read(from: string, most: number): Promise<readonly (readonly [key: string, value: Buffer])[]>
  /** Gives back the room of what was removed and replaced. */
  compact(): Promise<void>
  close(): Promise<void>
}

/** Bytes. Two write buffers may be in memory at once. A log has the size of one. */
const WRITE_BUFFER = 2 * 1024 * 1024
const CACHE = 4 * 1024 * 1024
const READ_AT_ONCE = 1024 * 1024

/** LevelDB in a folder. It is loaded here, so that a gate without a store does not load it. */
export async function loadLevel(location: string): Promise<Level> {
  const { ClassicLevel: Loaded } = await import('classic-level')
  const level: ClassicLevel<string, Buffer> = new Loaded(location, {
    ...{ keyEncoding: 'utf8', valueEncoding: 'buffer', writeBufferSize: WRITE_BUFFER, cacheSize: CACHE },
    // What is sealed cannot be compressed, and table-checksums.ts reads the index of a table.
    compression: false,
  })
  return {
    open: () => level.open(),
    getMany: (keys) => level.getMany([...keys]),
    batch: (steps, sync) =>
      level.batch(
        steps.map(({ key, value }) =>
          value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
        ),
        { sync },
      ),
    async read(from, most) {
      const iterator = level.iterator({ gte: from, fillCache: false, highWaterMarkBytes: READ_AT_ONCE })
      try {
        return await iterator.nextv(most)
      } finally {
        await iterator.close()
      }
    },
    compact: () => level.compactRange('', '\uffff'),
    close: () => level.close(),
  }
}

/** Calls into the thread pool, each with a deadline. */
interface Calls {
  /**
   * Makes a call. It rejects when the call takes longer than its deadline, in milliseconds, and at once while
   * an earlier one is past its own.
   */
  make<Result>(deadline: number, call: () => Promise<Result>): Promise<Result>
  /** As `make`, but also while an earlier call is past its deadline. */
  makeAnyway<Result>(deadline: number, call: () => Promise<Result>): Promise<Result>
}

interface CallsOptions {
  readonly folder: string
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** A call that was given up has failed after all. */
  readonly onLateError: (error: unknown) => void
}

/**
 * libuv has four threads for all files and for DNS. A hung disk keeps a thread for each call, so none is sent
 * after one that does not return.
 */
export function createCalls({ folder, after, onLateError }: CallsOptions): Calls {
  let hanging = 0
  const late = (): StoreError =>
    new StoreError('timeout', `the store ${folder}: its disk does not answer in time`)

  const makeAnyway = <Result>(deadline: number, call: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      let isLate = false
      const cancel = after(deadline, () => {
        isLate = true
        hanging += 1
        reject(late())
      })
      const settle = (): void => {
        cancel()
        if (isLate) hanging -= 1
      }
      // An error that is thrown at once counts as one that comes later.
      const made = (async () => call())()
      made.then(
        (result) => {
          settle()
          resolve(result)
        },
        (error: unknown) => {
          settle()
          if (isLate) onLateError(error)
          else reject(error)
        },
      )
    })

  return {
    make: (deadline, call) => (hanging > 0 ? Promise.reject(late()) : makeAnyway(deadline, call)),
    makeAnyway,
  }
}

type DiskTrouble = Exclude<StoreTrouble, 'refused' | 'password' | 'read-only' | 'secret'>

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
export function diskErrorOf(error: unknown, folder: string): StoreError {
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
