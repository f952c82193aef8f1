import { isIP } from 'node:net'

/** The last two groups of an IPv4-mapped address. */
const mappedIpv4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/**
 * The canonical spelling of an IP address (RFC 5952 for IPv6), since it identifies viewers; undefined for any
 * other text. nginx writes an IPv4 client of a dual-stack listener as `::ffff:192.0.2.1`. Middlewares compare
 * the short form, so that is what this returns.
 */
export function readAddress(address: string): string | undefined {
  const family = isIP(address)
  if (family === 4) return address
  const url = `http://[${address}]`
  // A zone (`fe80::1%eth0`) refers to an interface of this machine, so this is no client.
  if (family !== 6 || address.includes('%') || !URL.canParse(url)) return undefined
  const plain = new URL(url).hostname.slice(1, -1)
  const mapped = mappedIpv4.exec(plain)
  return mapped === null ? plain : `${bytePair(mapped[1])}.${bytePair(mapped[2])}`
}

/** Two bytes in decimal: `c000` becomes `192.0`. */
function bytePair(group = ''): string {
  const value = Number.parseInt(group, 16)
  return `${value >> 8}.${value & 255}`
}

/** The names of the groups that an address belongs to. One client may own all addresses of a group. */
export interface AddressGroups {
  /** IPv4: the /24; IPv6: the /48. */
  readonly network: string
  /** IPv6: the /56. */
  readonly subnet: string | undefined
  /** IPv4: the address itself; IPv6: the /64. */
  readonly client: string
}

/** The groups of a canonical address. A subscriber may have a whole /56, a small company a /48. */
export function addressGroupsOf(address: string): AddressGroups {
  if (!address.includes(':'))
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

/** Without leading zeros: `00ab` becomes `ab`. */
function plain(group: string): string {
  return group.replace(/^0+(?=.)/, '')
}
