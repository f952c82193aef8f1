import type { Keys } from './keys.ts'

/** Why a store cannot be used. A closed set: it appears in the log, metrics, `/readyz` and documentation. */
export const storeTroubles = [
  'in-use', // another process holds the folder
  'rights', // owner, mode, or a symbolic link: the folder is not ours alone
  'foreign', // there is something else in its place
  'damaged', // what is there cannot be read
  'full', // no room on the disk, in STATE_MAX, or in the memory of the server
  'timeout', // it did not answer in time
  'failed', // any other error of the disk or of the server, and each answer of an unexpected shape
  'refused', // nothing listens where the server should be, or there is no route to it
  'password', // the server does not take the user or the password, or their rights do not suffice
  'read-only', // a replica, or a server that is loading its data
  'secret', // it was begun with another STATE_SECRET
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

/** What a store is called, and the key of the names in it; made once, by whoever comes first. */
export interface StoreIdentity {
  /** Random; another one means that the store was emptied. 22 characters of base64url. */
  readonly name: string
  /** The key of all names in it, sealed where there is a secret. */
  readonly key: Buffer
}

/** `left`: silent, and its viewer has gone on to another place. */
export type SessionState = 'playing' | 'silent' | 'left'

/** One entry of the list of a viewer's sessions. */
export interface ListedSession {
  readonly id: string
  /** Another one after each change of its record. */
  readonly change: number
  readonly state: SessionState
}

/** A session that is opened or has changed. */
export interface SessionChange {
  /** Name of the viewer. */
  readonly viewer: string
  readonly id: string
  readonly state: SessionState
  /** Sealed by the caller for `keys.session(viewer, id)`; at most `MOST_OF_RECORD` bytes. */
  readonly value: Buffer
  /** A short name of the credential that opened it: decides who gives way where a viewer has too many. */
  readonly credential: string
  /** Milliseconds after which nobody needs it. */
  readonly keepFor: number
}

/**
 * What became of a change. `ended`: the session was ended before, and stays so; `end` is the value of
 * `SessionEnding`. `moved`: it is told as silent or left, but another gate has told since that it plays.
 */
export type ChangeOutcome =
  | { readonly kind: 'written' | 'moved' }
  | { readonly kind: 'ended'; readonly end: Buffer }
  | { readonly kind: 'failed'; readonly error: StoreError }

/** A session that has ended for good. */
interface SessionEnding {
  readonly viewer: string
  readonly id: string
  /** Sealed by the caller for `keys.session(viewer, id)`, in place of the record. */
  readonly value: Buffer
  readonly keepFor: number
}

/** `gate`: who told of it last; undefined where nobody has. `before`: it was ended already, by this value. */
export type EndOutcome =
  | { readonly kind: 'written'; readonly gate: string | undefined; readonly before?: Buffer }
  | { readonly kind: 'failed'; readonly error: StoreError }

/** What a gate says with each heartbeat. */
export interface Beat {
  /** Its own entry in the roster, sealed for `keys.gates`. */
  readonly entry: Buffer
  /** The largest number that it knows. The counter of the store becomes the larger one. */
  readonly number: number
  /** The number of the last letter that it has applied; 0 = none. The letters up to there are removed. */
  readonly have: number
  /** Bytes of letters that it takes at most; one letter alone may have more. */
  readonly most: number
}

/** What the store says to it. */
export interface Pulse {
  /** The name of the store; undefined where it has none: it was emptied, or nobody was here before. */
  readonly store: string | undefined
  /** The counter. */
  readonly number: number
  /** Milliseconds since 1970, by the clock of the store. */
  readonly time: number
  /** The version of the wide marks; 0 where there are none. */
  readonly wide: number
  /** The next letters behind `have`, in order. */
  readonly letters: readonly Letter[]
  /** Letters behind `have` were lost, since the inbox was full or too old, or the store was emptied. */
  readonly cut: boolean
  /** How much time has passed since another process wrote is not known: what it wrote is due now. */
  readonly areAgesUnknown?: boolean
}

export interface Letter {
  /** 1, 2, 3 … in each inbox. */
  readonly number: number
  /** Sealed by the sender for `keys.inbox(gate)`. */
  readonly value: Buffer
}

/** A letter to be put into the inbox of a gate. */
interface Outgoing {
  readonly gate: string
  readonly value: Buffer
}

/** One gate of the roster. */
export interface RosterEntry {
  readonly gate: string
  readonly entry: Buffer
  /** Milliseconds since its last heartbeat, by the clock of the store. */
  readonly age: number
  /** The last letter that it has applied. */
  readonly have: number
}

/** All wide marks as one value. */
interface WideMarks {
  /** 1, and one more with each change. */
  readonly version: number
  /** Sealed by the caller for `keys.wide`. */
  readonly value: Buffer
}

/** Most bytes of a record. A larger one is not written by the caller. */
export const MOST_OF_RECORD = 8_192
/** Most sessions of one viewer, and most bytes of their records. */
export const MOST_OF_VIEWER = { sessions: 512, bytes: 1_048_576 }
/** Most viewers of one cookie; the oldest go. */
export const MOST_OF_COOKIE = 8
/** An inbox: bytes, and milliseconds. */
export const MOST_OF_INBOX = { bytes: 4 * 1_048_576, age: 600_000 }
/** A gate that was not heard of for so long leaves the roster; milliseconds. */
export const FORGOTTEN = 600_000

/**
 * Where sessions outlive this process: a folder of one gate, or Valkey for many. An engine keeps values under
 * names and knows nothing of what they mean: the caller makes the names, seals and opens, and decides.
 *
 * Each method but `close` rejects with a `StoreError`, and with nothing else, also when the store answers in
 * an unexpected shape. Each has a deadline of its own (see `Deadlines`), so that none waits for ever.
 * One conformance suite holds for all engines (test/state/conformance.ts).
 */
export interface StoreEngine {
  /** The names of all keys: what the caller seals a value for. */
  readonly keys: Keys
  /** Other gates use it, too. */
  readonly isShared: boolean
  /** It lies on several servers, of which some may be used while the one with the heartbeat cannot. */
  readonly isParted: boolean
  /** This process among all gates: random, new at each start; 22 characters of base64url. */
  readonly gate: string
  /**
   * Opens it, or connects. A damaged folder is set aside and a fresh one begun; then it resolves with a
   * sentence of it. It may be called again after a failure.
   */
  open(): Promise<string | undefined>
  /** Never rejects. */
  close(): Promise<void>

  /** Makes this the identity of the store where it has none; resolves with the one that counts. */
  identify(candidate: StoreIdentity): Promise<StoreIdentity>
  /** The key, sealed under another secret; nothing where it is another key by now. */
  sealAnew(before: StoreIdentity, key: Buffer): Promise<void>

  /** Every `BEAT` milliseconds. */
  beat(beat: Beat): Promise<Pulse>
  /** All gates of the last ten minutes, this one too, but those that said goodbye. */
  roster(): Promise<readonly RosterEntry[]>
  /** This gate ends in order: it leaves the roster, and its inbox is removed. */
  goodbye(): Promise<void>
  /** Puts letters into inboxes; resolves with the number of each. */
  post(letters: readonly Outgoing[]): Promise<readonly number[]>
  /** The counter becomes the next number, larger than `known`; on the disk before it resolves. */
  nextNumber(known: number): Promise<number>

  /** The sessions of a viewer that have not ended, in no order. */
  list(viewer: string): Promise<readonly ListedSession[]>
  /** The values of these sessions, undefined for what is not there; ended ones may be among them. */
  read(viewer: string, ids: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  /**
   * Writes each in place of an older one, and into its viewer's list, nothing else. A viewer keeps
   * `MOST_OF_VIEWER`: left before silent before playing ones go, first those of the credential that has most,
   * then those that changed longest ago. A crash of this process loses nothing that was resolved.
   */
  write(changes: readonly SessionChange[]): Promise<readonly ChangeOutcome[]>
  /** Ends each for good, known or not. Not even a crash of the machine undoes what is written. */
  end(endings: readonly SessionEnding[]): Promise<readonly EndOutcome[]>
  /** Removes sessions that nobody may resume: nothing stays of them. Ended ones are left alone. */
  drop(sessions: readonly Pick<SessionChange, 'viewer' | 'id'>[]): Promise<void>

  /** Remembers that this cookie has sessions of this viewer; both are names. */
  addCookie(cookie: string, viewer: string, keepFor: number): Promise<void>
  /** The viewers of a cookie, the newest last. */
  viewersOf(cookie: string): Promise<readonly string[]>

  /** A value of one user, sealed by the caller for `keys.user(user)`; undefined = nothing is kept. */
  readUser(user: string): Promise<Buffer | undefined>
  /**
   * Puts a value in the place of what was read before, compared byte by byte; undefined = nothing was there.
   * False: somebody was faster, and nothing has changed.
   */
  replaceUser(user: string, before: Buffer | undefined, value: Buffer, keepFor: number): Promise<boolean>

  /** All sessions of a user that opened below this number are closed. A larger number that is there stays. */
  markUser(user: string, number: number, value: Buffer, keepFor: number): Promise<void>
  /** The values of the marks of these users, sealed by the caller for `keys.userMark(user)`. */
  marksOf(users: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  wide(): Promise<WideMarks | undefined>
  /** Writes the wide marks where their version is still this one (0 = none); false where it is not. */
  replaceWide(before: number, value: Buffer, keepFor: number): Promise<boolean>

  /** What the release before has kept under this key of its own; empty = nothing. Read once, see below. */
  former(place: string): Promise<readonly FormerRecord[]>
  /** Bytes that the store takes; undefined where nothing bounds them here. */
  bytes?(): number
}

/** A record of the release before, as it lies there. */
export interface FormerRecord {
  readonly id: string
  readonly payload: Buffer
}

/** How long a call may take, in milliseconds. `beat` is STATE_TIMEOUT. */
export interface Deadlines {
  readonly beat: number
  /** list, read, viewersOf, readUser, replaceUser, marksOf, former. */
  readonly read: number
  /** All else. */
  readonly write: number
  readonly open: number
}

/** Milliseconds between two heartbeats. */
export const BEAT = 250
