import { crc32 } from 'node:zlib'
import type { StoreIdentity } from '../store-engine.ts'

/**
 * A value of the folder: the time of the store after which it may be dropped (a double of 8 bytes), the
 * CRC-32 of all else (4 bytes), and what is kept. Every format keeps these twelve bytes, so that each release
 * can drop what another one has left.
 */
const HEAD = 12

export function wrap(kept: Buffer, until: number): Buffer {
  const value = Buffer.allocUnsafe(HEAD + kept.length)
  value.writeDoubleBE(until, 0)
  kept.copy(value, HEAD)
  value.writeUInt32BE(checksumOf(value), 8)
  return value
}

/** What is kept; undefined where it is damaged, or its time is over. It shares the memory of the value. */
export function unwrap(value: Buffer | undefined, now: number): Buffer | undefined {
  const until = untilOf(value)
  return value === undefined || until === undefined || until <= now ? undefined : value.subarray(HEAD)
}

/** Undefined where it is damaged. */
export function untilOf(value: Buffer | undefined): number | undefined {
  if (value === undefined || value.length < HEAD) return undefined
  return value.readUInt32BE(8) === checksumOf(value) ? value.readDoubleBE(0) : undefined
}

function checksumOf(value: Buffer): number {
  return crc32(value.subarray(HEAD), crc32(value.subarray(0, 8)))
}

/** A session's value begins with what it is. */
export const RECORD = 0x53
export const END = 0x45

/** Length of the id, expiry and length of the payload. */
const ENTRY_HEAD = 14

/** The entries of a bundle of the release before; none where it is damaged. */
export function readFormerBundle(bundle: Buffer): readonly FormerEntry[] {
  if (untilOf(bundle) === undefined) return []
  const entries: FormerEntry[] = []
  for (let at = HEAD; at + ENTRY_HEAD <= bundle.length; ) {
    const idAt = at + ENTRY_HEAD
    const payloadAt = idAt + bundle.readUInt16BE(at)
    const end = payloadAt + bundle.readUInt32BE(at + 10)
    if (end > bundle.length) return entries
    entries.push({
      id: bundle.toString('utf8', idAt, payloadAt),
      until: bundle.readDoubleBE(at + 2),
      payload: bundle.subarray(payloadAt, end),
    })
    at = end
  }
  return entries
}

interface FormerEntry {
  readonly id: string
  readonly until: number
  readonly payload: Buffer
}

export function numbered(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeDoubleBE(number)
  return Buffer.concat([head, value])
}

export function numberIn(value: Buffer | undefined): number {
  return value !== undefined && value.length >= 8 ? value.readDoubleBE(0) : 0
}

export const versionOf = numberIn

export function viewersIn(value: Buffer | undefined): readonly string[] {
  return value === undefined || value.length === 0 ? [] : value.toString('latin1').split(' ')
}

const NAME = 22

export function identityValue({ name, key }: StoreIdentity): Buffer {
  return Buffer.concat([Buffer.from(name.padEnd(NAME).slice(0, NAME), 'latin1'), key])
}

export function readIdentity(value: Buffer | undefined): StoreIdentity | undefined {
  if (value === undefined || value.length <= NAME) return undefined
  return { name: value.toString('latin1', 0, NAME).trimEnd(), key: value.subarray(NAME) }
}

/** Whether it must not be forgotten: it says what has ended or was closed, or belongs to the store itself. */
export function isMark(key: string, value: Buffer | undefined): boolean {
  if (value === undefined) return false
  const isEnd = key.includes('v{') && value[0] === END && !key.endsWith('}')
  return isEnd || key.includes('{all}') || key.includes('u{')
}
