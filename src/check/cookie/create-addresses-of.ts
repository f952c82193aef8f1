import { Resolver } from 'node:dns/promises'
import { setTimeout } from 'node:timers/promises'
import type { AddressesOf } from './find-two-families.ts'

/** Milliseconds. */
const LIMIT = 1_500
/** Names that are in no DNS of the world (RFC 2606, RFC 6761), or that mean something else in each house. */
const noPublicName =
  /(?:^|\.)(?:example(?:\.com|\.net|\.org)?|invalid|test|localhost|local|internal|lan|home\.arpa)$/i

/**
 * Asks DNS itself, not the hosts file: there this machine often has its own name, with an address that no
 * viewer sees.
 * @param limit milliseconds, for all addresses of a name
 * @param servers unless given, those of the system
 */
export function createAddressesOf(limit = LIMIT, servers?: readonly string[]): AddressesOf {
  return async (host) => {
    if (noPublicName.test(host)) return []
    const resolver = new Resolver({ timeout: limit, tries: 1 })
    if (servers !== undefined) resolver.setServers(servers)
    const found = await Promise.race([
      Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]),
      setTimeout(limit, [], { ref: false }),
    ])
    resolver.cancel()
    return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }
}
