import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** Hides what a store holds from whoever reads it, and refuses what somebody else has put there. */
export interface Seal {
  /** What stands for a text in keys: under the first secret, then under each other one. */
  names(text: string, length: number): readonly string[]
  /** Seals a text for its place, which is the key and the id that it is kept under. */
  seal(text: string, place: string): Buffer
  /** The text; undefined when it was not sealed for this place under one of the secrets. */
  open(sealed: Buffer, place: string): string | undefined
}

/** The first byte tells how the rest is kept. */
const PLAIN = 0
const SEALED = 1
const SALT = 16
const NONCE = 12
const TAG = 16
const CIPHER = 'aes-256-gcm'
/** Random nonces of one key may be 2^32 at most, so a key serves far fewer. */
const SEALS_FOR_EACH_KEY = 2 ** 24
const KEYS_IN_MEMORY = 256

/** Without a secret nothing is hidden, and names are plain hashes. */
export function createSeal(secrets: readonly string[]): Seal {
  return secrets.length === 0 ? openSeal : secretSeal(secrets)
}

const openSeal: Seal = {
  names: (text, length) => [createHash('sha256').update(text).digest('base64url').slice(0, length)],
  seal: (text) => Buffer.concat([Buffer.of(PLAIN), Buffer.from(text)]),
  open: (sealed) => (sealed[0] === PLAIN ? sealed.toString('utf8', 1) : undefined),
}

/**
 * AES-256-GCM with the place as associated data. A key is derived from a secret and a random salt, which is
 * kept with what it sealed.
 */
function secretSeal(secrets: readonly string[]): Seal {
  const nameKeys = secrets.map((secret) => deriveKey(secret, '', 'alta-auth names'))
  const keys = new LRUCache<string, readonly Buffer[]>({ max: KEYS_IN_MEMORY })
  const keysOf = (salt: Buffer): readonly Buffer[] => {
    const name = salt.toString('latin1')
    const known = keys.get(name)
    if (known !== undefined) return known
    const derived = secrets.map((secret) => deriveKey(secret, salt, 'alta-auth record'))
    keys.set(name, derived)
    return derived
  }
  let salt = randomBytes(SALT)
  let seals = 0

  return {
    names: (text, length) =>
      nameKeys.map((key) => createHmac('sha256', key).update(text).digest('base64url').slice(0, length)),
    seal(text, place) {
      seals += 1
      if (seals % SEALS_FOR_EACH_KEY === 0) salt = randomBytes(SALT)
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(CIPHER, keysOf(salt)[0] as Buffer, nonce)
      cipher.setAAD(Buffer.from(place))
      const sealed = [cipher.update(text, 'utf8'), cipher.final()]
      return Buffer.concat([Buffer.of(SEALED), salt, nonce, cipher.getAuthTag(), ...sealed])
    },
    open(sealed, place) {
      const textAt = 1 + SALT + NONCE + TAG
      if (sealed[0] !== SEALED || sealed.length < textAt) return undefined
      const nonce = sealed.subarray(1 + SALT, 1 + SALT + NONCE)
      for (const key of keysOf(sealed.subarray(1, 1 + SALT))) {
        const decipher = createDecipheriv(CIPHER, key, nonce)
        decipher.setAAD(Buffer.from(place))
        decipher.setAuthTag(sealed.subarray(1 + SALT + NONCE, textAt))
        try {
          return decipher.update(sealed.subarray(textAt), undefined, 'utf8') + decipher.final('utf8')
        } catch {
          // Sealed under another secret, or not by us.
        }
      }
      return undefined
    },
  }
}

function deriveKey(secret: string, salt: string | Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, use, 32))
}
