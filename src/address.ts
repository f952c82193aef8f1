import { isIP, isIPv6 } from 'node:net'

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

/** The groups that an address belongs to, by name. One client may command all of the addresses of each. */
export interface AddressGroups {
  /** IPv4: the /24; IPv6: the /48. */
  readonly network: string
  /** IPv6: the /56. */
  readonly subnet: string | undefined
  /** IPv4: the address itself; IPv6: the /64. */
  readonly client: string
}

/** Which groups an address counts with: a subscriber may have a whole /56, a small company a /48. */
export function addressGroupsOf(address: string): AddressGroups {
  if (!isIPv6(address))
    return { network: address.slice(0, address.lastIndexOf('.')), subnet: undefined, client: address }
  const [a, b, c, d = '0'] = firstFourOf(address)
  const network = `${a}:${b}:${c}`
  return {
    network,
    subnet: `${network}:${(Number.parseInt(d, 16) & 0xff00).toString(16)}/56`,
    client: `${network}:${d}`,
  }
}

/** The first four groups of an IPv6 address, without leading zeros. */
function firstFourOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left.slice(0, 4).map(plain)
  const right = tail === '' ? [] : tail.split(':')
  // A dotted IPv4 tail stands for two groups.
  const tailLength = right.length + (right.at(-1)?.includes('.') ? 1 : 0)
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - tailLength) }, () => '0')
  return [...left, ...zeros, ...right].slice(0, 4).map(plain)
}

/** `00ab` is `ab`. */
function plain(group: string): string {
  return group.replace(/^0+(?=.)/, '')
}
