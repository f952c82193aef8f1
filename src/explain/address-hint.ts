import { BlockList, isIPv6 } from 'node:net'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'

/** A request that was denied lately. */
export type Denied = Pick<Subrequest, 'address' | 'origin' | 'path' | 'userAgent'>

const isLoopback = listOf(['127.0.0.0', 8], ['::1', 128])
/** Private networks, and those of large NATs. */
const isPrivate = listOf(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
)

const SEE = 'docs/nginx.md, "Behind another proxy"'

/**
 * What to think of when an explanation does not fit what the viewer sees: the address may be another than the
 * one that nginx sees. Empty when there is nothing to say.
 * @param denied the latest first
 */
export function addressHint(
  asked: Subrequest,
  verdict: Decision['verdict'],
  denied: readonly Denied[],
): string {
  const { address, origin, path, userAgent } = asked
  const other = denied.find(
    (one) =>
      one.address !== address &&
      one.path === path &&
      one.origin === origin &&
      (userAgent === '' || one.userAgent === userAgent),
  )
  if (verdict === 'allow' && other !== undefined)
    return `this path was denied lately, perhaps with another token, to a viewer at ${other.address}: if it was this one, explain it with that address. If that is the address of a proxy, nginx does not know its viewers: ${SEE}`
  if (isLoopback(address))
    return `${address} is this machine itself: give the viewer's address, as nginx's access log has it. If the log has this one, nginx does not know its viewers behind a proxy: ${SEE}`
  if (isPrivate(address))
    return `${address} is a private address: if it is the address of a proxy, nginx does not know its viewers: ${SEE}`
  return ''
}

function listOf(...networks: readonly (readonly [address: string, bits: number])[]) {
  const list = new BlockList()
  const kindOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')
  for (const [address, bits] of networks) list.addSubnet(address, bits, kindOf(address))
  return (address: string): boolean => list.check(address, kindOf(address))
}
