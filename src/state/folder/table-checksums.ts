/**
 * Whether a block of a table of LevelDB is not as it was written.
 *
 * LevelDB itself does not look at these checksums when it reads, and a block of zeros ends the process (a
 * failed assertion). The layout: doc/table_format.md of LevelDB. Only tables that are not compressed are
 * read.
 *
 * A table without its end was not finished. LevelDB does not use it, or reports it as damaged.
 */
export function isDamagedTable(table: Buffer): boolean {
  const footer = table.length - FOOTER
  if (footer < 0 || table.readBigUInt64LE(table.length - 8) !== MAGIC) return false
  try {
    const metaindex = readHandle(table, footer)
    const index = readHandle(table, metaindex.end)
    return [metaindex, index].some(
      (block) => !isWhole(table, block) || !handlesIn(table, block).every((one) => isWhole(table, one)),
    )
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}

/** Bytes at the end of a table: two handles, padding and the magic number. */
const FOOTER = 48
const MAGIC = 0xdb4775248b80fb57n

/** Where a block is; `end` is where the handle ended. After the block: its type (one byte) and checksum. */
interface Handle {
  readonly offset: number
  readonly size: number
  readonly end: number
}

function isWhole(table: Buffer, { offset, size }: Handle): boolean {
  const typeAt = offset + size
  const crc = crc32c(table, offset, typeAt + 1)
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  return table.readUInt8(typeAt) === 0 && table.readUInt32LE(typeAt + 1) === masked
}

/** The handles in an index: entries of three lengths, a key and a handle, then the restart points. */
function handlesIn(table: Buffer, { offset, size }: Handle): Handle[] {
  const restarts = table.readUInt32LE(offset + size - 4)
  const end = offset + size - 4 * (restarts + 1)
  const handles: Handle[] = []
  for (let at = offset; at < end; ) {
    const shared = readVarint(table, at)
    const unshared = readVarint(table, shared.end)
    const length = readVarint(table, unshared.end)
    const value = length.end + unshared.value
    handles.push(readHandle(table, value))
    at = value + length.value
  }
  return handles
}

function readHandle(table: Buffer, at: number): Handle {
  const offset = readVarint(table, at)
  const size = readVarint(table, offset.end)
  return { offset: offset.value, size: size.value, end: size.end }
}

function readVarint(table: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let place = 1, next = at; ; place *= 128) {
    const byte = table.readUInt8(next)
    next += 1
    value += (byte & 127) * place
    if (byte < 128) return { value, end: next }
  }
}

/** CRC-32C, four bytes in each step. Node's own crc32 has another polynomial. */
const steps = makeSteps()

function makeSteps(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const one = new Int32Array(256).map((_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    return crc
  })
  /** As `before`, with one more byte of zero after it. */
  const after = (before: Int32Array): Int32Array =>
    before.map((crc) => (crc >>> 8) ^ (one[crc & 255] as number))
  const two = after(one)
  const three = after(two)
  return [one, two, three, after(three)]
}

function crc32c(bytes: Buffer, from: number, to: number): number {
  if (to > bytes.length) throw new RangeError('a block beyond the end')
  const [one, two, three, four] = steps
  let crc = -1
  let at = from
  for (; at + 4 <= to; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (four[crc & 255] as number) ^
      (three[(crc >>> 8) & 255] as number) ^
      (two[(crc >>> 16) & 255] as number) ^
      (one[crc >>> 24] as number)
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ (one[(crc ^ (bytes[at] as number)) & 255] as number)
  return ~crc >>> 0
}
