import { crc32 } from 'node:zlib'
import type { Entry } from '../record-format.ts'

/** Expiry and checksum. */
const HEAD = 12
/** Length of the id, expiry and length of the payload. */
const ENTRY_HEAD = 14

/**
 * All entries under one key, as one value. It begins with the latest expiry (a double of 8 bytes) and the
 * CRC-32 of all else (4 bytes). Every format keeps these twelve bytes, so that each release can drop what
 * another one has left.
 */
export function encodeBundle(entries: readonly Entry[]): Buffer {
  const parts = entries.map(({ id, expiresAt, payload }) => {
    const name = Buffer.from(id)
    const head = Buffer.allocUnsafe(ENTRY_HEAD)
    head.writeUInt16BE(name.length, 0)
    head.writeDoubleBE(expiresAt, 2)
    head.writeUInt32BE(payload.length, 10)
    return [head, name, payload]
  })
  const head = Buffer.allocUnsafe(HEAD)
  head.writeDoubleBE(Math.max(...entries.map((entry) => entry.expiresAt)), 0)
  const bundle = Buffer.concat([head, ...parts.flat()])
  bundle.writeUInt32BE(checksumOf(bundle), 8)
  return bundle
}

/** Its entries; undefined when it is damaged. The payloads share its memory. */
export function decodeBundle(bundle: Buffer): Entry[] | undefined {
  if (expiryOf(bundle) === undefined) return undefined
  const entries: Entry[] = []
  for (let at = HEAD; at < bundle.length; ) {
    if (at + ENTRY_HEAD > bundle.length) return undefined
    const idAt = at + ENTRY_HEAD
    const payloadAt = idAt + bundle.readUInt16BE(at)
    const end = payloadAt + bundle.readUInt32BE(at + 10)
    if (end > bundle.length) return undefined
    entries.push({
      id: bundle.toString('utf8', idAt, payloadAt),
      expiresAt: bundle.readDoubleBE(at + 2),
      payload: bundle.subarray(payloadAt, end),
    })
    at = end
  }
  return entries
}

/** Store time after which a value of any format may be dropped; undefined when it is damaged. */
export function expiryOf(bundle: Buffer): number | undefined {
  if (bundle.length < HEAD || bundle.readUInt32BE(8) !== checksumOf(bundle)) return undefined
  return bundle.readDoubleBE(0)
}

function checksumOf(bundle: Buffer): number {
  return crc32(bundle.subarray(HEAD), crc32(bundle.subarray(0, 8)))
}
