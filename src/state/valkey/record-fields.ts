import type { End } from '../../decision/stored.ts'
import { readEnd } from '../read-record.ts'
import type { SessionRecord } from '../record.ts'
import type { RecordFormat } from '../record-format.ts'
import type { NotDone, Write } from '../record-store.ts'
import type { Seal } from '../seal.ts'

/**
 * How a viewer's hash reads: `r` and an id is a record, `x` and an id a tombstone. What a value begins with
 * in clear is the matter of scripts.ts; what counts for people is sealed behind it.
 */
export interface RecordFields {
  sealEnd(end: End, place: string, id: string): Buffer
  /** What HGETALL or the script `prune` returns; without what has expired, ended or cannot be opened. */
  recordsOf(reply: unknown, place: string, now: number): Found
  /** What a script returns of what it has not done. */
  notDoneOf(reply: unknown, place: string): NotDone[]
}

export interface Found {
  readonly writes: readonly Write[]
  /** Ids that have a tombstone. */
  readonly ended: readonly string[]
  readonly bytes: number
}

/** Bytes that a field takes beside its name and value. */
const OVERHEAD = 8
const COLON = 0x3a
/** Texts in clear before what is sealed: expiry, gate, silence, last request; and expiry, gate. */
const PARTS = { r: 4, x: 2 }

export function createRecordFields(seal: Seal, format: RecordFormat): RecordFields {
  const endPlace = (place: string, id: string): string => `${place} end ${id}`

  const endOf = (value: Buffer, place: string, id: string): End | undefined => {
    const text = seal.open(sealedOf(value, PARTS.x), endPlace(place, id))
    return text === undefined ? undefined : readEnd(JSON.parse(text) as Readonly<Record<string, unknown>>)
  }

  return {
    sealEnd: (end, place, id) => seal.seal(JSON.stringify(end), endPlace(place, id)),
    recordsOf(reply, place, now) {
      const all = reply as readonly Buffer[]
      const ended = new Set<string>()
      const writes: Write[] = []
      let bytes = 0
      for (let at = 0; at < all.length; at += 2) {
        const [name, value] = [all[at] as Buffer, all[at + 1] as Buffer]
        bytes += name.length + value.length + OVERHEAD
        const id = name.toString('utf8', 1)
        const expiresAt = expiryOf(value)
        if (expiresAt <= now) continue
        if (name[0] === 0x78) ended.add(id)
        if (name[0] !== 0x72 || !format.isOwn(place)) continue
        const record: SessionRecord | undefined = format.recordOf(
          { id, expiresAt, payload: sealedOf(value, PARTS.r) },
          place,
        )
        if (record !== undefined) writes.push({ record, expiresAt })
      }
      return { writes: writes.filter(({ record }) => !ended.has(record.id)), ended: [...ended], bytes }
    },
    notDoneOf: (reply, place) =>
      (reply as readonly (readonly [Buffer, Buffer, Buffer?])[]).map(([name, why, value]) => {
        const id = name.toString()
        return why.toString() === 'moved' || value === undefined
          ? { id, why: 'moved' }
          : { id, why: 'ended', end: endOf(value, place, id) }
      }),
  }
}

/** Store time until which a value counts; 0 when it does not tell. */
export function expiryOf(value: Buffer): number {
  const digits = /^\d{1,16}(?=:)/.exec(value.toString('latin1', 0, 17))
  return digits === null ? 0 : Number(digits[0])
}

/** What is behind so many texts in clear, each with its colon. */
export function sealedOf(value: Buffer, parts: number): Buffer {
  let from = 0
  for (let part = 0; part < parts; part += 1) {
    const colon = value.indexOf(COLON, from)
    if (colon === -1) return Buffer.alloc(0)
    from = colon + 1
  }
  return value.subarray(from)
}
