import type { Limited } from '../decision/limit.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Kept } from './kept.ts'
import type { WriteBehind } from './write-behind.ts'

export interface KnownSessionsOptions {
  readonly written: Pick<WriteBehind, 'changed' | 'remove'>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** What counts for the user of a session of the table. */
  readonly limitedOf?: (session: Session) => Limited | undefined
}

/** The allowed sessions of the table, and what the store is told of them. */
export interface KnownSessions {
  get(id: string): Kept | undefined
  /** A session has come back from the store. */
  add(kept: Kept): void
  /** A backend has allowed a session, for the first time or again. */
  granted(session: Session, resumeFor: number): void
  /** A session has changed otherwise. */
  changed(session: Session): void
  /** It has ended for good, before it leaves the table: nothing is told of it any more. */
  removed(id: string): void
  /** It has left the table. */
  ended(session: Session, why: SessionEnd): void
  /** Tells all, for a store that was away. */
  tellAll(): void
  /** Tells those that were requested since they were told last. */
  tellRequested(): void
  /** Starts to tell them from time to time; the result stops it. */
  start(): () => void
}

/** A session that plays is told again after this part of SESSION_IDLE. */
const REPORT = 1 / 2
/** Milliseconds between two looks for such sessions, and the most of one look. */
const LOOK_EVERY = 250
const MOST_OF_A_LOOK = 2_000

/** Sessions that end so may be resumed. */
const silences: ReadonlySet<SessionEnd> = new Set<SessionEnd>(['idle', 'evicted'])

export function createKnownSessions(options: KnownSessionsOptions): KnownSessions {
  const { written, clock, after, idle, limitedOf = () => undefined } = options
  /** By id. The order is that of `toldAt`. */
  const known = new Map<string, Kept>()

  const tell = (kept: Kept): void => {
    if (kept.removed) return
    kept.limited = limitedOf(kept.session) ?? kept.limited
    written.changed(kept)
  }

  const isRequested = ({ session, toldAt }: Kept): boolean => session.activeAt > toldAt

  const putLast = (kept: Kept, now: number): void => {
    kept.toldAt = now
    known.delete(kept.session.id)
    known.set(kept.session.id, kept)
  }

  return {
    get: (id) => known.get(id),
    add(kept) {
      known.set(kept.session.id, kept)
      tell(kept)
    },
    granted(session, resumeFor) {
      const now = clock()
      const kept: Kept = known.get(session.id) ?? {
        ...{ session, allowedAt: now, resumeFor, toldAt: now },
        ...{ part: 1, came: 'opened', silent: false, removed: false, limited: undefined },
      }
      kept.allowedAt = now
      kept.resumeFor = resumeFor
      putLast(kept, now)
      tell(kept)
    },
    changed(session) {
      const kept = known.get(session.id)
      if (kept !== undefined) tell(kept)
    },
    removed(id) {
      const kept = known.get(id)
      if (kept !== undefined) kept.removed = true
    },
    ended(session, why) {
      const kept = known.get(session.id)
      if (kept === undefined) return
      known.delete(session.id)
      if (kept.removed) return
      kept.silent = true
      if (silences.has(why) && kept.resumeFor > 0) tell(kept)
      else void written.remove(session)
    },
    tellAll() {
      for (const kept of known.values()) tell(kept)
    },
    tellRequested() {
      for (const kept of known.values()) if (isRequested(kept)) tell(kept)
    },
    start() {
      let cancel = (): void => {}
      const look = (): void => {
        const now = clock()
        let looked = 0
        for (const kept of known.values()) {
          if (now - kept.toldAt < idle * REPORT || looked++ === MOST_OF_A_LOOK) break
          if (isRequested(kept)) tell(kept)
          putLast(kept, now)
        }
        cancel = after(LOOK_EVERY, look)
      }
      cancel = after(LOOK_EVERY, look)
      return () => cancel()
    },
  }
}
