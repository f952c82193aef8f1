import type { End } from '../decision/stored.ts'
import type { CloseMark } from './close-mark.ts'
import type { SessionRecord } from './record.ts'

/** Why a store cannot be used. A closed set: it appears in the log, metrics, `/readyz` and documentation. */
export const storeTroubles = [
  'in-use', // another process holds the folder
  'rights', // owner, mode, or a symbolic link: the folder is not ours alone
  'foreign', // there is something else in its place
  'damaged', // what is there cannot be read
  'full', // no room on the disk, or in the memory of the server
  'timeout', // it did not answer in time
  'failed', // any other error of the disk or of the server
  'refused', // nothing listens where the server should be, or there is no route to it
  'password', // the server does not take the user or the password, or their rights do not suffice
  'read-only', // a replica, or a server that is loading its data
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
  /** It has ended for good: no gate brings it back. Undefined: nobody needs its record any more. */
  readonly end?: End
}

/**
 * What a store that gates share has not done. `ended`: another gate has ended this session; `end` says why,
 * and is undefined where that cannot be read. `moved`: the session went silent here, but another gate has
 * told of it since. `away`: the part of the store that holds it cannot be used now.
 */
export interface NotDone {
  readonly id: string
  readonly why: 'ended' | 'moved' | 'away'
  readonly end?: End | undefined
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
  /**
   * Writes them all or none, but for those that it returns. A crash of this process loses nothing of it, a
   * crash of the machine may.
   */
  write(writes: readonly Write[]): Promise<readonly NotDone[]>
  /**
   * Removes them all or none, but for those that it returns: `ended` are those that another gate has ended
   * before. When it resolves, not even a crash of the machine brings one back.
   */
  remove(removals: readonly Removal[]): Promise<readonly NotDone[]>
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
