import type { ClassicLevel } from 'classic-level'

/** One step of a batch. Without a value the key is removed. */
export interface Step {
  readonly key: string
  readonly value?: Buffer
}

/** What the store needs of LevelDB, so that a test may put a hung or failing disk in its place. */
export interface Engine {
  open(): Promise<void>
  getMany(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  /** All steps or none. With `sync` they are on the disk when it resolves. */
  batch(steps: readonly Step[], sync: boolean): Promise<void>
  /** Keys and values in order of the keys, from this key on: at most `most`, and about a megabyte. */
  read(from: string, most: number): Promise<readonly (readonly [key: string, value: Buffer])[]>
  close(): Promise<void>
}

/** Bytes. Two write buffers may be in memory at once. A log has the size of one. */
const WRITE_BUFFER = 2 * 1024 * 1024
const CACHE = 4 * 1024 * 1024
const READ_AT_ONCE = 1024 * 1024

/** LevelDB in a folder. It is loaded here, so that a gate without a store does not load it. */
export async function createLevelEngine(location: string): Promise<Engine> {
  const { ClassicLevel } = await import('classic-level')
  const level: ClassicLevel<string, Buffer> = new ClassicLevel(location, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER,
    cacheSize: CACHE,
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
      const iterator = level.iterator({
        gte: from,
        fillCache: false,
        highWaterMarkBytes: READ_AT_ONCE,
      })
      try {
        return await iterator.nextv(most)
      } finally {
        await iterator.close()
      }
    },
    close: () => level.close(),
  }
}
