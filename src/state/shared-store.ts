import type { RecordStore, StoreTrouble } from './record-store.ts'
import type { UserTexts } from './user-texts.ts'

/** A store that many gates share: records, the plays of users, and what the gates tell each other. */
export interface SharedStore extends RecordStore {
  /** This process among all gates: random, and new at each start. */
  readonly gate: string
  readonly users: UserTexts
  readonly messages: Messages
  readonly replies: Replies
  readonly gates: GateList
  /**
   * Whether this gate is to walk through all records now: one of all gates, and for so many milliseconds.
   * Rejects with a `StoreError`.
   */
  claimSweep(forMs: number): Promise<boolean>
}

/**
 * What one gate tells all gates, itself included, in one order. What was told while a gate was cut off comes
 * late.
 */
export interface Messages {
  /** Resolves when it is told. Rejects with a `StoreError`. */
  post(message: Message): Promise<void>
  /** From now on `act` is called with each message of any gate. */
  onMessage(act: (message: Message, from: string) => void): void
  /** Messages may have been lost: too many were told while this gate was cut off. */
  onLost(act: () => void): void
}

/** Plain data, as JSON writes it. What a release does not know it passes over. */
export interface Message {
  readonly kind: string
  readonly [field: string]: unknown
}

/**
 * What gates answer to what one of them has asked all. Only that gate reads it, so that no other one has to
 * open a page of 1,000 sessions (400 KB). Sealed like a record. Both methods reject with a `StoreError`.
 */
export interface Replies {
  /**
   * Adds an answer behind those that are there. All answers to a question may be dropped `REPLIES_KEPT` after
   * the last one.
   * @param ask the asker's random id of the question: 22 characters of base64url
   */
  answer(ask: string, text: string): Promise<void>
  /**
   * The answers so far, without the first `from`, in the order in which they came. What cannot be opened is
   * an empty text, so that it counts. It is called every few milliseconds, for half a second at most.
   */
  answers(ask: string, from: number): Promise<readonly string[]>
}

/** How long a gate may take to fetch the answers, in milliseconds. */
export const REPLIES_KEPT = 10_000

/** The gates that use the store. */
export interface GateList {
  /** Says that this gate is there, and what it says of itself: plain data. To be called every two seconds. */
  tell(about: GateAbout): Promise<void>
  /** All gates that were heard of within the last ten minutes. Rejects with a `StoreError`. */
  list(): Promise<readonly ListedGate[]>
}

export interface GateAbout {
  /** What people call it. */
  readonly name: string
  readonly version: string
  readonly sessions: number
  /** It has ended in order, and nobody waits for it. It is told once, at the end. */
  readonly stopped?: boolean
}

export interface ListedGate extends GateAbout {
  /** As in `SharedStore.gate`. */
  readonly gate: string
  /** Milliseconds since it was heard of. */
  readonly age: number
}

/** One server of the store, as the health of each is shown. */
export interface StoreNode {
  /** Address and port, or the path of a socket. */
  readonly name: string
  readonly usable: boolean
  /** Since when, in milliseconds of the monotonic clock. */
  readonly since: number
  readonly trouble?: StoreTrouble
  /** One sentence: what is wrong, and the cure. */
  readonly message?: string
}
