import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Identity, verdictKeyOf } from '../session/identity.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Decision } from '../verdict.ts'
import type { SessionLimit } from './limit.ts'
import type { Outage } from './outage.ts'
import type { Stored } from './stored.ts'

/** What the gate remembers of past decisions. */
export interface Memory {
  /** Sessions that a backend allowed. */
  readonly sessions: SessionTable
  /** Sessions that the default action opened. Their own bound: an outage must not evict allowed viewers. */
  readonly provisional: SessionTable
  readonly denials: Denials
  /** Whether an outage is on, and how long an allow still counts in one. */
  readonly outage: Outage
  /** What outlives this process; undefined where there is no store. */
  readonly stored?: Stored | undefined
  /** How many sessions a user may have; undefined where nobody has a limit. */
  readonly limit?: SessionLimit | undefined
}

/** A deny and how long it counts. Times are milliseconds of the monotonic clock. */
export interface Denial {
  readonly decision: Decision
  readonly freshUntil: number
  /** While the backend is unavailable the deny counts until then. */
  readonly staleUntil: number
  /** The key of the cookie that the request had. */
  readonly cookie?: string | undefined
}

export interface Denials {
  /** The deny of exactly this request (same verdict key), fresh or stale. */
  find(identity: Identity, now: number): Denial | undefined
  /** As `find`, but changes nothing. */
  peek(identity: Identity, now: number): Denial | undefined
  keep(identity: Identity, denial: Denial): void
  /** Removes the deny of this request: a backend allows it now. */
  forget(identity: Identity): void
  /** Removes expired denies, `most` at most; returns how many. */
  sweep(now: number, most?: number): number
  count(): number
  /** How many have been evicted since the start. */
  evicted(): number
}

/**
 * Remembered denies, `max` at most. Their own bound: a flood of bad tokens evicts other denies, never a
 * session. Keys are hashed, since a concatenated key would keep each client's whole URI in memory.
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
      // Without a deny there is nothing to hash a key for.
      if (denials.size === 0) return undefined
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
      if (denials.size > 0) denials.delete(keyOf(identity))
    },
    sweep(now, most = Number.POSITIVE_INFINITY) {
      let dropped = 0
      for (; dropped < most; dropped++) {
        const oldest = denials.rkeys().next().value
        if (oldest === undefined) break
        const denial = denials.peek(oldest)
        // Least recently used first: few after a deny that still counts have expired.
        if (denial !== undefined && now < denial.staleUntil) break
        denials.delete(oldest)
      }
      return dropped
    },
    count: () => denials.size,
    evicted: () => evicted,
  }
}
