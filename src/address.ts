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

/** How many leading bits of an address its client is known by: VIEWER_IPV4_PREFIX and VIEWER_IPV6_PREFIX. */
export interface ClientPrefixes {
  /** 24 to 32 */
  readonly ipv4: number
  /** 56 to 128 */
  readonly ipv6: number
}

/** As the settings are unless somebody changes them. */
export const usualPrefixes: ClientPrefixes = { ipv4: 32, ipv6: 64 }

/** The name of the client that a canonical address belongs to: the address itself, or the group around it. */
type ClientOf = (address: string) => string

/**
 * Privacy addresses change within their /64 (RFC 8981), so an IPv6 client is known by a group. Only for
 * addresses that networks are numbered with, 2000::/3: a NAT64 prefix (64:ff9b::/96) and Teredo (2001::/32)
 * hold IPv4 clients of the whole world, and a local network may be one /64. There the address counts in full.
 */
export function createClientOf({ ipv4, ipv6 }: ClientPrefixes): ClientOf {
  return (address) => {
    if (!address.includes(':')) return ipv4 === 32 ? address : ipv4Group(address, ipv4)
    if (ipv6 === 128 || !isNumbered(address)) return address
    return ipv6 === 64 ? first64(address) : ipv6Group(address, ipv6)
  }
}

/** The names of the groups that an address belongs to. One client may own all addresses of a group. */
export interface AddressGroups {
  /** IPv4, also where NAT64 hides it: the /24; IPv6: the /48. */
  readonly network: string
  /** The client, by the same rule as for a viewer; but one IPv6 client always has the whole /64. */
  readonly client: string
}

export type AddressGroupsOf = (address: string) => AddressGroups

/**
 * Builds the reader of the groups of a canonical address. A small company may have a /48.
 */
export function createAddressGroupsOf({ ipv4, ipv6 }: ClientPrefixes): AddressGroupsOf {
  const clientOf = createClientOf({ ipv4, ipv6: Math.min(ipv6, 64) })
  return (address) => {
    const client = clientOf(address)
    if (!address.includes(':')) return { network: ipv4Group(address, 24), client }
    if (address.startsWith(NAT64)) return { network: ipv6Group(address, 120), client }
    return { network: ipv6Group(address, 48), client }
  }
}

/** The prefix of RFC 6052. One of the operator's own looks like any network. */
const NAT64 = '64:ff9b::'

const numbered = /^[23][0-9a-f]{3}:/
const teredo = /^2001:(?:0:|:)/

/** In 2000::/3 and not in 2001::/32. */
function isNumbered(address: string): boolean {
  return numbered.test(address) && !teredo.test(address)
}

/** The network of an IPv4 address, as `192.0.2.128/25`. */
function ipv4Group(address: string, bits: number): string {
  const dot = address.lastIndexOf('.')
  const last = Number(address.slice(dot + 1)) & (0xff00 >> (bits - 24))
  return `${address.slice(0, dot + 1)}${last}/${bits}`
}

/** The /64 of a canonical IPv6 address, as `2001:db8:0:1::/64`: for nearly all their first four groups. */
function first64(address: string): string {
  let end = -1
  for (let group = 0; group < 4; group++) {
    end = address.indexOf(':', end + 1)
    if (address.charCodeAt(end + 1) === COLON) return ipv6Group(address, 64)
  }
  return `${address.slice(0, end)}::/64`
}

const COLON = ':'.charCodeAt(0)

/** The network of a canonical IPv6 address, as `2001:db8:0:100::/56`. */
function ipv6Group(address: string, bits: number): string {
  const kept = groupsOf(address).slice(0, Math.ceil(bits / 16))
  const rest = bits % 16
  if (rest > 0) kept.push((kept.pop() ?? 0) & (0xffff << (16 - rest)))
  return `${kept.map(hex).join(':')}${kept.length < 8 ? '::' : ''}/${bits}`
}

/** The eight groups of a canonical IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const left = numbersOf(head)
  const right = numbersOf(tail ?? '')
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function numbersOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function hex(group: number): string {
  return group.toString(16)
}
