import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type Finding, findingsOf } from '../finding.ts'

/** The result of a look-up. */
interface LookedUp {
  readonly finding: Finding
  /** Empty when the name has none. */
  readonly addresses: readonly string[]
}

const { ok, failed } = findingsOf('backend-name')

/**
 * Asks the system's resolver, as the gate does: with the hosts file and search domains.
 * @param limit milliseconds
 */
export async function lookUp(host: string, limit: number, clock: () => number): Promise<LookedUp> {
  if (isIP(host) !== 0) return { addresses: [host], finding: ok(`${host} is an address, DNS is not needed`) }
  const began = clock()
  const found = await Promise.race([
    lookup(host, { all: true }).catch((error: NodeJS.ErrnoException) => error),
    setTimeout(limit, undefined, { ref: false }),
  ])
  const ms = clock() - began
  if (found === undefined || found instanceof Error) {
    const why = found === undefined ? `no answer about it within ${ms} ms` : (found.code ?? found.message)
    const remedy = `correct the name in BACKEND_URL, repair the resolver (getent ahosts ${host}), or write an address`
    return { addresses: [], finding: failed(`${host} has no known address: ${why}`, remedy, { host, ms }) }
  }
  const addresses = [...new Set(found.map(({ address }) => address))]
  const sentence = `${host} is ${addresses.join(', ')} (${ms} ms)`
  return { addresses, finding: ok(sentence, undefined, { host, addresses, ms }) }
}
