/** Longer than any query or path that is taken; a buffer for each copy would be garbage outside of the heap. */
const scratch = Buffer.alloc(16_384)

/** A slice of a string keeps the whole string alive, a copy does not. For ASCII texts. */
export function copyOf(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
}
