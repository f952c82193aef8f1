import { LRUCache } from 'lru-cache'

/** Lets many holders of equal texts hold one and the same. */
export interface TextPool {
  share(text: string): string
}

/** Remembers the `max` texts shared last; any other is a copy of its own. */
export function createTextPool(max: number): TextPool {
  const texts = new LRUCache<string, string>({ max })
  return {
    share(text) {
      const known = texts.get(text)
      if (known !== undefined) return known
      const copy = copyOf(text)
      texts.set(copy, copy)
      return copy
    },
  }
}

/** A slice of a string keeps the whole string alive, a copy does not. For ASCII texts. */
export function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
