import type { CloseMark } from './close-mark.ts'
import { readFilter, readRecord } from './read-record.ts'
import type { SessionRecord } from './record.ts'
import type { Write } from './record-store.ts'
import type { Seal } from './seal.ts'

/** A record or a mark as it lies in a store. */
export interface Entry {
  readonly id: string
  /** Store time after which it may be dropped. */
  readonly expiresAt: number
  /** JSON, or sealed JSON. */
  readonly payload: Buffer
}

/** The key of all marks: they hold for every format and configuration. */
export const MARKS = '!marks'
/** The first byte of the key of a viewer's records. */
const FORMAT = '1'
/** The first byte of the key of a user, and the id of the one entry there. */
const USERS = 'u'
/** Characters of a hash. */
const CONFIGURATION = 8
const VIEWER = 22
/** Bytes of a mark's time before what is sealed. */
const MARK_HEAD = 8

/** How records and marks are written, and where. */
export interface RecordFormat {
  /** Where a viewer's records are: first as they are written, then as another secret names it. */
  keysOf(viewer: string): readonly string[]
  /** Whether records of this format and configuration are there. */
  isOwn(key: string): boolean
  entryOf(write: Write, key: string): Entry
  /** Undefined when it is no record that this process can read. */
  recordOf(entry: Entry, key: string): SessionRecord | undefined
  entryOfMark(mark: CloseMark): Entry
  /** As `keysOf`, for the text of a user. */
  userKeysOf(user: string): readonly string[]
  entryOfUser(text: string, expiresAt: number, key: string): Entry
  /** Empty where it cannot be opened. */
  userTextOf(entry: Entry, key: string): string
  markOf(entry: Entry): CloseMark
}

export function createRecordFormat(seal: Seal, configuration: string): RecordFormat {
  const beginnings = seal.names(configuration, CONFIGURATION).map((name) => FORMAT + name)
  return {
    keysOf: (viewer) => seal.names(viewer, VIEWER).map((name, index) => `${beginnings[index]}${name}`),
    isOwn: (key) => beginnings.some((beginning) => key.startsWith(beginning)),
    entryOf: ({ record, expiresAt }, key) => ({
      id: record.id,
      expiresAt,
      payload: seal.seal(JSON.stringify(record), placeOf(key, record.id)),
    }),
    recordOf({ id, payload }, key) {
      const text = seal.open(payload, placeOf(key, id))
      const record = text === undefined ? undefined : readRecord(text)
      return record?.id === id ? record : undefined
    },
    userKeysOf: (user) => seal.names(`user ${user}`, VIEWER).map((name) => USERS + name),
    entryOfUser: (text, expiresAt, key) => ({
      id: USERS,
      expiresAt,
      payload: seal.seal(text, placeOf(key, USERS)),
    }),
    userTextOf: ({ payload }, key) => seal.open(payload, placeOf(key, USERS)) ?? '',
    entryOfMark({ filter, at, until }) {
      const text = JSON.stringify(filter)
      const id = `${seal.names(text, VIEWER)[0]}${at}`
      const head = Buffer.alloc(MARK_HEAD)
      head.writeDoubleBE(at)
      return { id, expiresAt: until, payload: Buffer.concat([head, seal.seal(text, placeOf(MARKS, id))]) }
    },
    markOf({ id, expiresAt, payload }) {
      const text = seal.open(payload.subarray(MARK_HEAD), placeOf(MARKS, id))
      // A mark that cannot be read may be about any session.
      const filter = (text === undefined ? undefined : readFilter(text)) ?? {}
      return { filter, at: payload.readDoubleBE(0), until: expiresAt }
    },
  }
}

function placeOf(key: string, id: string): string {
  return `${key} ${id}`
}
