import { isIP } from 'node:net'

/** The last two groups of an IPv4-mapped address. */
const mappedIpv4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/**
 * One spelling for each IP address (RFC 5952 for IPv6), since it tells viewers apart; undefined for what is none. nginx writes an IPv4
 * client of a dual-stack listener as `::ffff:192.0.2.1`; middlewares compare the short form.
 */
export function readAddress(address: string): string | undefined {
  const family = isIP(address)
  if (family === 4) return address
  const url = `http://[${address}]`
  // A zone (`fe80::1%eth0`) names an interface of this machine, not a client.
  if (family !== 6 || address.includes('%') || !URL.canParse(url)) return undefined
  const plain = new URL(url).hostname.slice(1, -1)
  const mapped = mappedIpv4.exec(plain)
  return mapped === null ? plain : `${bytePair(mapped[1])}.${bytePair(mapped[2])}`
}

/** `c000` is `192.0`. */
function bytePair(group = ''): string {
  const value = Number.parseInt(group, 16)
  return `${value >> 8}.${value & 255}`
}
