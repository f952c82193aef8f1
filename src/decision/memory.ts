import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Identity, verdictKeyOf } from '../session/identity.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Decision, Outcome } from '../verdict.ts'

/** What the gate remembers of past decisions. */
export interface Memory {
  /** Sessions that a backend allowed. */
  readonly sessions: SessionTable
  /** Sessions that the default action opened. Their own bound: an outage must not evict allowed viewers. */
  readonly provisional: SessionTable
  readonly denials: Denials
  /** Whether an outage is on, and how long an allow still counts in one. */
  readonly outage: Outage
}

/**
 * The session that answers this request, if any. One that a backend allowed goes before a provisional one.
 */
export function findSession(memory: Memory, identity: Identity, now: number): Session | undefined {
  for (;;) {
    const allowed = memory.sessions.find(identity, now)
    if (allowed !== undefined) memory.provisional.keep(identity, now)
    const session = allowed ?? memory.provisional.find(identity, now)
    if (session === undefined || !memory.outage.hasExpired(session, now)) return session
    endSession(memory, session, 'expired')
  }
}

/** Ends a session in the table that holds it. */
export function endSession(memory: Memory, session: Session, why: SessionEnd): void {
  const table = session.provisional ? memory.provisional : memory.sessions
  table.end(session, why)
}

/** Tracks outages of the backend and when the last one ended. `now` is monotonic milliseconds. */
export interface Outage {
  /** Takes in the outcome of a question or a re-check. */
  note(outcome: Outcome, now: number): void
  /**
   * Whether the session's last allow counts no longer: its time is over (`failure.holdsUntil`), and either
   * the outage goes on, or a re-check failed after that time.
   */
  hasExpired(session: Session, now: number): boolean
  /** Whether the last re-check of this session failed in an outage that is over, so that it is due again. */
  isOverFor(session: Session, now: number): boolean
}

/** After an outage its sessions become due for a re-check, spread evenly over this many milliseconds. */
const SPREAD = 3000

export function createOutage(): Outage {
  let isAway = false
  let recoveredAt = Number.NEGATIVE_INFINITY
  return {
    note(outcome, now) {
      if (outcome.kind === 'refused') return
      const unavailable = outcome.kind === 'unavailable'
      // No new spread starts during a spread: single failures would postpone the re-checks for ever.
      if (isAway && !unavailable && now - recoveredAt > SPREAD) recoveredAt = now
      isAway = unavailable
    },
    hasExpired({ failure }, now) {
      if (failure === undefined) return false
      const inOutage = isAway && failure.at > recoveredAt && now >= failure.holdsUntil
      // The backend may answer others: this session's own re-check failed after its time was over.
      return inOutage || failure.at >= failure.holdsUntil
    },
    isOverFor(session, now) {
      const { failure } = session
      if (failure === undefined) return false
      // A single failure inside a spread is no outage: the session waits for its next re-check, but not
      // longer than its allow counts.
      if (failure.at > recoveredAt) return !isAway && now >= failure.holdsUntil
      return now >= recoveredAt + placeOf(session) * SPREAD
    },
  }
}

/** The session's place in a spread, 0 to 1: random, since its id is, and constant. */
function placeOf(session: Session): number {
  return ((session.id.charCodeAt(0) * 64 + session.id.charCodeAt(1)) % 61) / 61
}

/** A deny and how long it counts. Times are milliseconds of the monotonic clock. */
export interface Denial {
  readonly decision: Decision
  readonly freshUntil: number
  /** While the backend is unavailable the deny counts until then. */
  readonly staleUntil: number
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
