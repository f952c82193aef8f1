import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Decision } from '../verdict.ts'
import { type Identity, verdictKeyOf } from './identity.ts'

/** A deny and how long it counts; times are milliseconds of the monotonic clock. */
export interface Denial {
  readonly decision: Decision
  readonly freshUntil: number
  /** While the backend is unavailable, the deny counts until then. */
  readonly staleUntil: number
}

export interface Denials {
  /** The deny of exactly this request, fresh or stale; nobody else's. */
  find(identity: Identity, now: number): Denial | undefined
  /** As `find`, but leaves no trace. */
  peek(identity: Identity, now: number): Denial | undefined
  keep(identity: Identity, denial: Denial): void
  /** A backend changed its mind. */
  forget(identity: Identity): void
  /** Drops what is past its time, `most` of them at most; returns how many that were. */
  sweep(now: number, most?: number): number
  count(): number
  /** How many its bound has pushed out. */
  evicted(): number
}

/**
 * Remembered denies, with a bound of their own: a flood of bad tokens pushes out other denies, never a session. Keys are hashed, since
 * a key of parts would keep each client's whole URI alive.
 */
export function createDenials(max: number): Denials {
  let evicted = 0
  const denials = new LRUCache<string, Denial>({
    max,
    dispose: (_denial, _key, why) => {
      if (why === 'evict') evicted++
    },
  })
  const keyOf = (identity: Identity): string => hash('sha256', verdictKeyOf(identity), 'base64url')
  return {
    find(identity, now) {
      const key = keyOf(identity)
      const denial = denials.get(key)
      if (denial === undefined || now < denial.staleUntil) return denial
      denials.delete(key)
      return undefined
    },
    peek(identity, now) {
      const denial = denials.peek(keyOf(identity))
      return denial !== undefined && now < denial.staleUntil ? denial : undefined
    },
    keep(identity, denial) {
      denials.set(keyOf(identity), denial)
    },
    forget(identity) {
      denials.delete(keyOf(identity))
    },
    sweep(now, most = Number.POSITIVE_INFINITY) {
      let dropped = 0
      for (; dropped < most; dropped++) {
        const oldest = denials.rkeys().next().value
        if (oldest === undefined) break
        const denial = denials.peek(oldest)
        // Least recently asked about first: behind one that still counts there are few that do not.
        if (denial !== undefined && now < denial.staleUntil) break
        denials.delete(oldest)
      }
      return dropped
    },
    count: () => denials.size,
    evicted: () => evicted,
  }
}
