import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Subrequest } from '../subrequest.ts'

/** What viewers with the same player on the same site share; sessions keep one of it among them. */
export interface Profile {
  /** Stands for the three texts: 128 bits of their SHA-256 in 22 characters. */
  readonly key: string
  readonly origin: string
  readonly userAgent: string
  readonly playbackId: string
}

/** Profiles that are remembered so as not to be hashed again, and bytes of them; any other is simply hashed again, with the same key. */
const MAX_PROFILES = 10_000
const MAX_BYTES = 4 * 1_048_576

/** Builds the reader of profiles. Equal keys mean equal texts: none of them can hold the line breaks between them. */
export function createProfileOf(): (subrequest: Subrequest) => Profile {
  const profiles = new LRUCache<string, Profile>({
    max: MAX_PROFILES,
    maxSize: MAX_BYTES,
    // The text is there twice: as the key, and in parts.
    sizeCalculation: (_profile, text) => 2 * text.length,
  })
  return ({ origin, userAgent, playbackId }) => {
    const text = `${origin}\n${userAgent}\n${playbackId}`
    const known = profiles.get(text)
    if (known !== undefined) return known
    const profile = { key: hash('sha256', text, 'base64url').slice(0, 22), origin, userAgent, playbackId }
    profiles.set(text, profile)
    return profile
  }
}
