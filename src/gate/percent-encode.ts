/** Characters that RFC 3986 allows in a path as they are; `%` is not among them, so the encoding can be undone. */
const nothingButPath = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/
const notPath = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g

const nothingButAscii = /^[\x20-\x7e]*$/
const notAscii = /[^\x20-\x7e]/g

/** Encodes decoded path bytes (a latin-1 string, one character a byte) so that decoding gives the same bytes. */
export function encodePath(bytes: string): string {
  return nothingButPath.test(bytes) ? bytes : bytes.replace(notPath, percent)
}

/** Encodes only what a conservative HTTP request may not hold (a latin-1 string, one character a byte). */
export function encodeNonAscii(bytes: string): string {
  return nothingButAscii.test(bytes) ? bytes : bytes.replace(notAscii, percent)
}

/** Looked up, so that a client's 8 KB of such bytes cost no more than a question does. */
const percentOf = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
)

function percent(character: string): string {
  return percentOf[character.charCodeAt(0)] ?? ''
}
