const SLOTS = 16_384
/** CRC-16/XMODEM. */
const POLYNOMIAL = 0x1021

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL
  return crc
})

/**
 * The slot of a key in a cluster: of what is between the first `{` and the next `}`, where there is something
 * (https://valkey.io/topics/cluster-spec).
 */
export function slotOf(key: string): number {
  const from = key.indexOf('{') + 1
  const to = from === 0 ? -1 : key.indexOf('}', from)
  let crc = 0
  for (const byte of Buffer.from(to > from ? key.slice(from, to) : key))
    crc = (crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)
  return (crc & 0xffff) % SLOTS
}
