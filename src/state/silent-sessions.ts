import { LRUCache } from 'lru-cache'
import type { Kept } from './kept.ts'

/**
 * Sessions that went silent at this gate, so that a shared store that has forgotten them is told again. They
 * are in no table: those of long responses, as MPEG-TS, are always silent.
 */
export interface SilentSessions {
  add(kept: Kept): void
  /** It goes on, or has ended for good. */
  delete(id: string): void
  has(id: string): boolean
  /** Those that may still be resumed. */
  all(): Kept[]
}

/** Bytes. */
const MOST = 64 * 1_048_576

/** @param clock monotonic milliseconds */
export function createSilentSessions(clock: () => number): SilentSessions {
  const sessions = new LRUCache<string, Kept>({
    maxSize: MOST,
    sizeCalculation: ({ session }) => session.bytes,
  })
  return {
    add: (kept) => void sessions.set(kept.session.id, kept),
    delete: (id) => void sessions.delete(id),
    has: (id) => sessions.has(id),
    all: () =>
      [...sessions.values()].filter(({ session, resumeFor }) => session.lastSeen + resumeFor > clock()),
  }
}
