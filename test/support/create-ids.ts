const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Session ids that look like the real ones, and are the same each time. */
export function createIds(chance: () => number): () => string {
  return () => Array.from({ length: 22 }, () => LETTERS[Math.floor(chance() * LETTERS.length)]).join('')
}
