import { randomBytes } from 'node:crypto'
import type { End } from '../decision/stored.ts'
import type { Keys } from './keys.ts'
import { type ClosedFilter, readFilter } from './marks.ts'
import { type EndRecord, readEndRecord, readRecord, type SessionRecord } from './record.ts'
import { createSeal, nameOf } from './seal.ts'
import { number, object, readJson } from './shape.ts'
import type { StoreIdentity } from './store-engine.ts'

/**
 * The names and values of what is kept: what stands for a viewer, a cookie or a user in keys, and what is
 * sealed where. Names are HMACs under a random key that the store itself keeps, so that they outlive a change
 * of the secret.
 */
export interface Vault {
  /** For a store that has none: a fresh name, so that all notice, and the key that this process knows. */
  identity(): StoreIdentity
  /** Takes what the store says. False: none of the secrets opens it. */
  accept(identity: StoreIdentity): boolean
  /** The key of an identity that an older secret has sealed, sealed under the first; else undefined. */
  sealedAnew(identity: StoreIdentity): Buffer | undefined
  /** Another configuration makes other names, so that what was judged under it is unknown. */
  viewer(viewer: string): string
  cookie(cookie: string): string
  user(user: string): string
  /** A short name of what paid for a session. */
  credential(query: string, pathCredential: string | undefined): string
  record(record: SessionRecord): Buffer
  end(viewer: string, id: string, end: End, number: number): Buffer
  /** What lies in a session's place; undefined where it cannot be read. @param viewer a name */
  readSession(viewer: string, id: string, value: Buffer): SessionRecord | EndRecord | undefined
  seal(text: string, key: string): Buffer
  open(value: Buffer, key: string): string | undefined
  /** The places of a viewer's records in the release before. */
  formerPlaces(viewer: string): readonly string[]
  /** A record of the release before; undefined where it cannot be read. */
  readFormer(place: string, id: string, payload: Buffer): SessionRecord | undefined
  readFormerMark(id: string, payload: Buffer): FormerMark | undefined
}

/** What the release before has kept of a closing: it counts for sessions that opened until then. */
export interface FormerMark {
  readonly filter: ClosedFilter
  /** Milliseconds since 1970, by the clock of the store. */
  readonly at: number
}

const formerMark = object({ filter: readFilter, at: number })
/** In a folder a mark begins with its time: a double of 8 bytes. */
const MARK_HEAD = 8

const NAME = 22
const CREDENTIAL = 8

export function createVault(secrets: readonly string[], configuration: string, keys: Keys): Vault {
  const seal = createSeal(secrets)
  let key = randomBytes(32)
  const nameFor = (kind: string, text: string): string => nameOf(key, `${kind}\n${text}`).slice(0, NAME)
  const place = (of: string): string => `${keys.identity} ${of}`
  const viewerName = (viewer: string): string => nameFor('viewer', `${configuration}\n${viewer}`)
  /** As the release before has named it, under each secret. */
  const formerStarts = seal.formerNames(configuration, 8).map((one) => `1${one}`)

  return {
    identity() {
      const fresh = randomBytes(16).toString('base64url')
      return { name: fresh, key: seal.seal(key.toString('base64url'), place(fresh)) }
    },
    accept(identity) {
      const text = seal.open(identity.key, place(identity.name))
      if (text === undefined) return false
      key = Buffer.from(text, 'base64url')
      return true
    },
    sealedAnew: (identity) =>
      seal.isNewest(identity.key, place(identity.name))
        ? undefined
        : seal.seal(key.toString('base64url'), place(identity.name)),
    viewer: viewerName,
    cookie: (cookie) => nameFor('cookie', `${configuration}\n${cookie}`),
    user: (user) => nameFor('user', user),
    credential: (query, pathCredential = '') =>
      nameFor('credential', `${query}${pathCredential}`).slice(0, CREDENTIAL),
    record: (record) => seal.seal(JSON.stringify(record), keys.session(viewerName(record.viewer), record.id)),
    end: (viewer, id, ended, number) =>
      seal.seal(JSON.stringify({ ended, number }), keys.session(viewerName(viewer), id)),
    readSession(viewer, id, value) {
      const text = seal.open(value, keys.session(viewer, id))
      if (text === undefined) return undefined
      const record = readRecord(text)
      if (record === undefined) return readEndRecord(text)
      return record.id === id && viewerName(record.viewer) === viewer ? record : undefined
    },
    seal: seal.seal,
    open: seal.open,
    formerPlaces: (viewer) =>
      seal.formerNames(viewer, NAME).map((one, index) => `${formerStarts[index]}${one}`),
    readFormerMark(id, payload) {
      const text = seal.open(payload, `marks ${id}`)
      if (text !== undefined) return readJson(text, formerMark)
      const filter = seal.open(payload.subarray(MARK_HEAD), `!marks ${id}`)
      const read = filter === undefined ? undefined : readJson(filter, readFilter)
      return read && { filter: read, at: payload.readDoubleBE(0) }
    },
    readFormer(at, id, payload) {
      const text = seal.open(payload, `${at} ${id}`)
      const record = text === undefined ? undefined : readRecord(text)
      return record?.id === id ? record : undefined
    },
  }
}
