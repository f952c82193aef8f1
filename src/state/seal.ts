import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** Hides what a store holds from whoever reads it, and refuses what somebody else has put there. */
interface Seal {
  /** Seals a text for its place: the whole key that it is kept under. */
  seal(text: string, place: string): Buffer
  /** The text; undefined when it was not sealed for this place under one of the secrets. */
  open(sealed: Buffer, place: string): string | undefined
  /** Whether the first secret has sealed it. */
  isNewest(sealed: Buffer, place: string): boolean
  /** Names of the release before: what stood for a text in keys, under each secret. */
  formerNames(text: string, length: number): readonly string[]
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

/** Without a secret nothing is hidden. The first one seals, each opens. */
export function createSeal(secrets: readonly string[]): Seal {
  return secrets.length === 0 ? openSeal : secretSeal(secrets)
}

const openSeal: Seal = {
  seal: (text) => Buffer.concat([Buffer.of(PLAIN), Buffer.from(text)]),
  open: (sealed) => (sealed[0] === PLAIN ? sealed.toString('utf8', 1) : undefined),
  isNewest: (sealed) => sealed[0] === PLAIN,
  formerNames: (text, length) => [hash('sha256', text, 'base64url').slice(0, length)],
}

/**
 * AES-256-GCM with the place as associated data. A key is derived from a secret and a random salt, which is
 * kept with what it sealed.
 */
function secretSeal(secrets: readonly string[]): Seal {
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

  /** The text, and which of the secrets has sealed it. */
  const openWith = (sealed: Buffer, place: string): [text: string, by: number] | undefined => {
    const textAt = 1 + SALT + NONCE + TAG
    if (sealed[0] !== SEALED || sealed.length < textAt) return undefined
    const nonce = sealed.subarray(1 + SALT, 1 + SALT + NONCE)
    for (const [by, key] of keysOf(sealed.subarray(1, 1 + SALT)).entries()) {
      const decipher = createDecipheriv(CIPHER, key, nonce)
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(sealed.subarray(1 + SALT + NONCE, textAt))
      try {
        return [decipher.update(sealed.subarray(textAt), undefined, 'utf8') + decipher.final('utf8'), by]
      } catch {
        // Sealed under another secret, or not by us.
      }
    }
    return undefined
  }

  return {
    seal(text, place) {
      seals += 1
      if (seals % SEALS_FOR_EACH_KEY === 0) salt = randomBytes(SALT)
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(CIPHER, keysOf(salt)[0] as Buffer, nonce)
      cipher.setAAD(Buffer.from(place))
      const sealed = [cipher.update(text, 'utf8'), cipher.final()]
      return Buffer.concat([Buffer.of(SEALED), salt, nonce, cipher.getAuthTag(), ...sealed])
    },
    open: (sealed, place) => openWith(sealed, place)?.[0],
    isNewest: (sealed, place) => openWith(sealed, place)?.[1] === 0,
    formerNames: (text, length) =>
      secrets.map((secret) => nameOf(deriveKey(secret, '', 'alta-auth names'), text).slice(0, length)),
  }
}

function deriveKey(secret: string, salt: string | Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, use, 32))
}

/** What stands for a text under a key: 43 characters of base64url. */
export function nameOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}
