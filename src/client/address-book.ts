import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** Looks up a host name. The default is the system's resolver, with its hosts file and search domains. */
export type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void

/** The addresses of one host name, held in memory. */
export interface AddressBook {
  /** A `lookup` for `net.connect` that answers from memory. It waits only for the very first look-up. */
  readonly lookup: LookupFunction
  /**
   * Puts this address first: a connection to it has succeeded. So a dead address beside it costs time only
   * once.
   */
  prefer(address: string): void
  /** Ends the refreshes. */
  stop(): void
}

/** Milliseconds until the next look-up, after one that succeeded and after one that failed. */
const REFRESH = 10_000
const RETRY = 2_000

const resolveWithSystem: Resolve = (host, done) => systemLookup(host, { all: true }, done)

/**
 * Refreshes the addresses of one host name in the background, so that no question waits for DNS: only two
 * `dns.lookup` calls run at the same time, and a resolver that never answers blocks each for half a minute.
 * While look-ups fail the last good addresses are kept.
 */
export function createAddressBook(host: string, resolve: Resolve = resolveWithSystem): AddressBook {
  let addresses: LookupAddress[] = []
  let failure: Error | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let waiting: (() => void)[] = []
  let preferred: string | undefined

  const inOrder = (unordered: readonly LookupAddress[]): LookupAddress[] => [
    ...unordered.filter(({ address }) => address === preferred),
    ...unordered.filter(({ address }) => address !== preferred),
  ]

  const refresh = (): void => {
    resolve(host, (error, found) => {
      if (error === null && found.length > 0) addresses = inOrder(found)
      failure = error ?? undefined
      for (const go of waiting.splice(0)) go()
      if (!stopped) timer = setTimeout(refresh, error === null ? REFRESH : RETRY).unref()
    })
  }
  refresh()

  return {
    lookup(_host, options, callback) {
      const reply = (): void => {
        const first = addresses[0]
        if (first === undefined) {
          callback(failure ?? Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' }), '')
        } else if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      }
      if (addresses.length === 0 && failure === undefined) waiting.push(reply)
      else reply()
    },
    prefer(address) {
      if (address === preferred) return
      preferred = address
      addresses = inOrder(addresses)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      waiting = []
    },
  }
}
