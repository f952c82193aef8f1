import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Finding, failed, ok } from './finding.ts'
import { within } from './within.ts'

export interface LookedUp {
  readonly finding: Finding
  /** Empty when the name has none. */
  readonly addresses: readonly string[]
}

/** Asks the system's resolver, as the gate does: hosts file, search domains and all. `limit` in milliseconds. */
export async function lookUp(host: string, limit: number, clock: () => number): Promise<LookedUp> {
  const name = 'backend-name'
  if (isIP(host) !== 0)
    return { addresses: [host], finding: ok(name, `${host} is an address, DNS is not needed`) }
  const began = clock()
  const found = await within(
    limit,
    lookup(host, { all: true }).catch((error: NodeJS.ErrnoException) => error),
  )
  const ms = clock() - began
  if (found === undefined || found instanceof Error) {
    const why = found === undefined ? `no answer about it within ${ms} ms` : (found.code ?? found.message)
    return {
      addresses: [],
      finding: failed(
        name,
        `${host} has no known address: ${why}`,
        `correct the name in BACKEND_URL, repair the resolver (getent ahosts ${host}), or write an address`,
        { host, ms },
      ),
    }
  }
  const addresses = [...new Set(found.map(({ address }) => address))]
  return {
    addresses,
    finding: ok(name, `${host} is ${addresses.join(', ')} (${ms} ms)`, { host, addresses, ms }),
  }
}
