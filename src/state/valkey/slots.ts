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
  /** Its slot is on its way to another server: from now on another one is taken. */
  dropTagOf(name: string): void
}

const SLOTS = 16_384
/** A server that holds one slot is found by then, nearly always. */
const MOST_TRIES = 200_000

export function createSlots(): Slots {
  let holders: readonly (string | undefined)[] = []
  /** By server; `b` and a number. */
  const tags = new Map<string, number>()

  return {
    take(primaries) {
      const next: (string | undefined)[] = Array.from({ length: SLOTS })
      for (const { address, slots } of primaries)
        for (const [first, last] of slots) next.fill(nameOf(address), first, last + 1)
      holders = next
    },
    holderOf: (key) => holders[slotOf(key)],
    tagOf(name) {
      const holds = (n: number): boolean => holders.length === 0 || holders[slotOf(`b${n}`)] === name
      let n = tags.get(name) ?? 0
      while (n < MOST_TRIES && !holds(n)) n += 1
      tags.set(name, n === MOST_TRIES ? 0 : n)
      return `b${n}`
    },
    dropTagOf: (name) => void tags.set(name, (tags.get(name) ?? 0) + 1),
  }
}
