/** A slice of a string keeps the whole string alive, a copy does not. For ASCII texts. */
export function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
