import { hash, randomFillSync } from 'node:crypto'

/** The value of a session cookie: 128 random bits and four that say which gate knows it. */
const SECRET = /^[\w-]{22}$/

export function isSecret(text: string): boolean {
  return SECRET.test(text)
}

/**
 * What the gate keeps and compares in place of a cookie's value: the first 132 bits of its SHA-256, with the
 * site, so that it is worth nothing at another one.
 */
export function cookieKeyOf(secret: string, site: string): string {
  return hash('sha256', `session cookie\n${site}\n${secret}`, 'base64url').slice(0, 22)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** How many slots nginx divides the cookies into (nginx/alta-auth/http.conf). */
export const SLOTS = 16

/**
 * A new value. 16 bytes leave four bits of the last of 22 base64url characters unused. There stands the slot,
 * by which nginx finds the gate that has made it.
 * @param slot 0 to 15
 */
export function newSecret(slot: number): string {
  const text = randomFillSync(Buffer.alloc(16)).toString('base64url')
  return text.slice(0, 21) + alphabet[alphabet.indexOf(text[21] ?? 'A') + slot]
}
