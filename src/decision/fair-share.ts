import { addressGroupOf } from '../address-group.ts'

/** Bounds how many questions one client may have under way, so that a flood of its own makes the backend unavailable to nobody. */
export interface FairShare {
  /** Takes a place for this address; false when it holds its share already. */
  take(address: string): boolean
  giveBack(address: string): void
  /** Whether `take` would give one. */
  hasRoom(address: string): boolean
}

/** `limit` places for each client address, a /64 for IPv6, whatever else the client claims to be. */
export function createFairShare(limit: number): FairShare {
  const held = new Map<string, number>()
  return {
    take(address) {
      const group = addressGroupOf(address)
      const count = held.get(group) ?? 0
      if (count >= limit) return false
      held.set(group, count + 1)
      return true
    },
    giveBack(address) {
      const group = addressGroupOf(address)
      const count = held.get(group) ?? 0
      if (count <= 1) held.delete(group)
      else held.set(group, count - 1)
    },
    hasRoom: (address) => (held.get(addressGroupOf(address)) ?? 0) < limit,
  }
}
