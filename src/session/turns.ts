import { LRUCache } from 'lru-cache'

/** Gives each key a turn now and then. */
export interface Turns {
  /** Whether it is the key's turn; if so, its next one comes `every` milliseconds later. */
  take(key: string, now: number): boolean
}

/** Remembers the `max` keys that came last; any other has its turn at once. */
export function createTurns(every: number, max: number): Turns {
  const taken = new LRUCache<string, number>({ max })
  return {
    take(key, now) {
      const last = taken.get(key)
      if (last !== undefined && now - last < every) return false
      taken.set(key, now)
      return true
    },
  }
}
