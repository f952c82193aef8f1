import type { Node } from './node.ts'
import type { ValkeyAddress } from './valkey-settings.ts'

/** Servers of a cluster that have no slot yet, while their first one is on its way to them. */
export interface Guests {
  /** @param at address and port, as an ASK names it */
  get(at: string): Promise<Node>
  dismiss(): void
}

/** Milliseconds that a new connection usually needs. */
const CONNECT = 50

export function createGuests(
  create: (address: ValkeyAddress) => Node,
  startTimer: (milliseconds: number, act: () => void) => () => void,
): Guests {
  const guests = new Map<string, Node>()
  return {
    async get(at) {
      const known = guests.get(at)
      if (known !== undefined) return known
      const colon = at.lastIndexOf(':')
      const guest = create({ kind: 'tcp', host: at.slice(0, colon), port: Number(at.slice(colon + 1)) })
      guests.set(at, guest)
      await new Promise<void>((resolve) => void startTimer(CONNECT, resolve))
      return guest
    },
    dismiss() {
      for (const guest of guests.values()) guest.close()
      guests.clear()
    },
  }
}
