import { slotOf } from './key-slot.ts'
import { nameOf } from './node.ts'
import type { Primary } from './topology.ts'

/** Which server of a cluster holds which slot. */
export interface Slots {
  take(primaries: readonly Primary[]): void
  /** The name of the server that holds a key; undefined where nobody is known to hold it. */
  holderOf(key: string): string | undefined
  /**
   * What is between the braces of a key that this server holds: the same as long as it holds it. Without a
   * cluster any server holds any key.
   */
  tagOf(name: string): string
}

const SLOTS = 16_384
/** A server that holds one slot is found by then, nearly always. */
const MOST_TRIES = 200_000

export function createSlots(): Slots {
  let holders: readonly (string | undefined)[] = []
  const tags = new Map<string, string>()

  return {
    take(primaries) {
      const next: (string | undefined)[] = Array.from({ length: SLOTS })
      for (const { address, slots } of primaries)
        for (const [first, last] of slots) next.fill(nameOf(address), first, last + 1)
      holders = next
    },
    holderOf: (key) => holders[slotOf(key)],
    tagOf(name) {
      const holds = (tag: string): boolean => holders.length === 0 || holders[slotOf(tag)] === name
      const known = tags.get(name)
      if (known !== undefined && holds(known)) return known
      let tag = 'b'
      for (let n = 0; n < MOST_TRIES && !holds(tag); n += 1) tag = `b${n}`
      tags.set(name, tag)
      return tag
    },
  }
}
