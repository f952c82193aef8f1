import type { CloseMark } from './close-mark.ts'
import type { SessionRecord } from './record.ts'

/** Why a store cannot be used. A closed set: it appears in the log, metrics, `/readyz` and documentation. */
export const storeTroubles = [
  'in-use', // another process holds the folder
  'rights', // owner, mode, or a symbolic link: the folder is not ours alone
  'foreign', // there is something else in its place
  'damaged', // what is there cannot be read
  'full', // no room on the disk
  'timeout', // it did not answer in time
  'failed', // any other error of the disk
] as const
export type StoreTrouble = (typeof storeTroubles)[number]

/** The store cannot be used. The message is one sentence: what is wrong, and the cure. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly trouble: StoreTrouble
  constructor(trouble: StoreTrouble, message: string, cause?: unknown) {
    super(message, { cause })
    this.trouble = trouble
  }
}

/** A record to write, in place of an older one of the same session. */
export interface Write {
  readonly record: SessionRecord
  /** Store time after which nobody needs it any more: the store may drop it then. */
  readonly expiresAt: number
}

/** A session whose record is to be removed. */
export interface Removal {
  readonly viewer: string
  readonly id: string
}

/** A part of all records. The records of one viewer are never torn apart. */
export interface Slice {
  readonly writes: readonly Write[]
  /** Bytes that they take, and what other configurations and formats have left between them. */
  readonly bytes: number
  /** Where the next slice begins; undefined after the last one. */
  readonly next: string | undefined
}

/**
 * Where sessions outlive this process. Each method but `close` rejects with a `StoreError`, and with nothing
 * else. After one that is no `timeout` the store must be opened again.
 *
 * One conformance suite holds for all stores (test/state/conformance.ts).
 */
export interface RecordStore {
  /**
   * Opens it. What is damaged is set aside and a fresh store begun; then it resolves with a sentence of it.
   */
  open(): Promise<string | undefined>
  /** The records of a viewer, in no order; without those of another configuration, and expired ones. */
  recall(viewer: string): Promise<readonly SessionRecord[]>
  /** Writes them all or none. A crash of this process loses nothing of it, a crash of the machine may. */
  write(writes: readonly Write[]): Promise<void>
  /** Removes them all or none. When it resolves, not even a crash of the machine brings one back. */
  remove(removals: readonly Removal[]): Promise<void>
  /** Adds a mark, as durable as a removal. */
  mark(mark: CloseMark): Promise<void>
  /** All marks that have not expired. */
  marks(): Promise<readonly CloseMark[]>
  /** About `most` records, from where `from` says. Expired ones are removed and are not in it. */
  slice(from: string | undefined, most: number): Promise<Slice>
  /** Never rejects. */
  close(): Promise<void>
  /** Milliseconds of store time: it goes on across restarts, and no set clock moves it. */
  now(): number
}
