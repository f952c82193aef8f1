/** A header's value as Node's parser hands it over: a string of its own, one byte a character. */
export function received(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
