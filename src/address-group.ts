import { isIPv6 } from 'node:net'

/**
 * Whom an address counts as: an IPv4 address alone, an IPv6 address with its /64, since one client commands a whole /64.
 */
export function addressGroupOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left.slice(0, 4).map(plain).join(':')
  const right = tail === '' ? [] : tail.split(':')
  // A dotted IPv4 tail stands for two groups.
  const tailLength = right.length + (right.at(-1)?.includes('.') ? 1 : 0)
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - tailLength) }, () => '0')
  return [...left, ...zeros, ...right].slice(0, 4).map(plain).join(':')
}

/** `00ab` is `ab`. */
function plain(group: string): string {
  return group.replace(/^0+(?=.)/, '')
}
