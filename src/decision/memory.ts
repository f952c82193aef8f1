import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Identity, verdictKeyOf } from '../session/identity.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Decision, Outcome } from '../verdict.ts'

/** What is remembered of past decisions. */
export interface Memory {
  /** Sessions that a backend allowed. */
  readonly sessions: SessionTable
  /** Sessions that the default action let in: a bound of their own, so that an outage evicts no allowed viewer. */
  readonly provisional: SessionTable
  readonly denials: Denials
  /** When the backend was away: what an allow is worth without it. */
  readonly outage: Outage
}

/** The session that answers this request, if any: what a backend allowed counts more than what the default action let in. */
export function findSession(memory: Memory, identity: Identity, now: number): Session | undefined {
  for (;;) {
    const allowed = memory.sessions.find(identity, now)
    if (allowed !== undefined) memory.provisional.keep(identity, now)
    const session = allowed ?? memory.provisional.find(identity, now)
    if (session === undefined || !memory.outage.hasOutlasted(session, now)) return session
    endSession(memory, session, 'expired')
  }
}

export function endSession(memory: Memory, session: Session, why: SessionEnd): void {
  const table = session.provisional ? memory.provisional : memory.sessions
  table.end(session, why)
}

/** Knows when the backend began to answer again, so that what was decided without it can be asked about. Monotonic milliseconds. */
export interface Outage {
  note(outcome: Outcome, now: number): void
  /** Whether this session's verdict has lost its worth: in an outage that lasts still, or since nobody has an answer about it alone. */
  hasOutlasted(session: Session, now: number): boolean
  /** Whether the last re-check of this session failed in an outage that has ended. */
  isOverFor(session: Session, now: number): boolean
}

/** After an outage the sessions that lived through it are re-checked within this many milliseconds, spread evenly. */
const SPREAD = 3000

export function createOutage(): Outage {
  let isAway = false
  let recoveredAt = Number.NEGATIVE_INFINITY
  return {
    note(outcome, now) {
      if (outcome.kind === 'refused') return
      const unavailable = outcome.kind === 'unavailable'
      // While one spread is under way another does not begin: single failures would put it off for ever.
      if (isAway && !unavailable && now - recoveredAt > SPREAD) recoveredAt = now
      isAway = unavailable
    },
    hasOutlasted({ failure }, now) {
      if (failure === undefined) return false
      const lastsStill = isAway && failure.at > recoveredAt && now >= failure.holdsUntil
      // Others may be answered: nobody told about this one, though it was asked about after its time.
      return lastsStill || failure.at >= failure.holdsUntil
    },
    isOverFor(session, now) {
      const { failure } = session
      if (failure === undefined) return false
      // A single failure inside a spread is no outage: it waits for the next re-check, but not past the time that the verdict holds.
      if (failure.at > recoveredAt) return !isAway && now >= failure.holdsUntil
      return now >= recoveredAt + placeOf(session) * SPREAD
    },
  }
}

/** 0 to 1, the same for the life of a session: its id is random. */
function placeOf(session: Session): number {
  return ((session.id.charCodeAt(0) * 64 + session.id.charCodeAt(1)) % 61) / 61
}

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
