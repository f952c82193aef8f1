import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** Looks a host name up with the system's resolver: hosts file, search domains and all. */
export type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void

export interface AddressBook {
  /** Answers from memory; fits `net.connect`. Waits only while the very first look-up is on its way. */
  readonly lookup: LookupFunction
  /** This address has just been connected to: it is tried first, so that a dead one beside it costs its time only once. */
  prefer(address: string): void
  stop(): void
}

/** Milliseconds between look-ups, while they succeed and while they fail. */
const REFRESH = 10_000
const RETRY = 2_000

const resolveWithSystem: Resolve = (host, done) => systemLookup(host, { all: true }, done)

/**
 * Keeps the addresses of one host name fresh in the background, so that no question waits for DNS: `dns.lookup` runs at most two at
 * once, and a black-holed resolver blocks each for half a minute. The last good addresses are kept while look-ups fail.
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
