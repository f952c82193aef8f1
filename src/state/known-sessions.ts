import type { Limited } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Kept } from './kept.ts'
import { type CloseMark, matches } from './marks.ts'
import { hasLeft } from './silence.ts'
import type { ChangeOutcome } from './store-engine.ts'
import type { Removal, WriteBehind } from './write-behind.ts'

export interface KnownSessionsOptions {
  readonly written: () => Pick<WriteBehind, 'changed' | 'remove'>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** Other gates may have the same sessions. */
  readonly isShared: boolean
  /** The largest number that this gate knows; undefined before it has heard one. */
  readonly number: () => number | undefined
  /** What counts for the user of a session of the table. */
  readonly limitedOf?: ((session: Session) => Limited | undefined) | undefined
  /** The sessions of a viewer in the table. */
  readonly sessionsOf?: ((viewer: string) => Iterable<Session>) | undefined
  /** A session of the table was ended by another gate. */
  readonly onEndedElsewhere?: ((session: Session, end: End) => void) | undefined
}

/** The allowed sessions of the table, and what the store is told of them. */
export interface KnownSessions {
  get(id: string): Kept | undefined
  /** As `get`, and also one whose end the store has not answered yet. */
  standing(id: string): Kept | undefined
  /** A session has come back from the store. */
  add(kept: Kept): void
  /** A backend has allowed a session, for the first time or again. */
  granted(session: Session, resumeFor: number): void
  /** A session has changed otherwise. */
  changed(session: Session): void
  /** It has ended for good, before it leaves the table: nothing is told of it any more. */
  removed(id: string): void
  /**
   * It has left the table. `done` is called with how it has ended: `moved` where another gate goes on with
   * it. With a store that gates share that takes until the store has answered, 3 s at most.
   */
  ended(session: Session, why: SessionEnd, done: (how: SessionEnd) => void): void
  /** It is resumed: its end is told now. */
  settle(id: string): void
  /** Another gate has ended a session. */
  endedElsewhere(id: string, end: End): void
  /** Closings of other gates reach those who play here. Returns how many. */
  endClosed(fresh: readonly CloseMark[]): number
  /** The store has answered what was told of a session. */
  told(kept: Kept, asSilent: boolean, outcome: ChangeOutcome['kind'], end: End | undefined): void
  /** The number is known now: sessions that have none get it. */
  numbered(number: number): void
  /** Tells all within so many milliseconds, those with a user's number within 10 s. */
  tellAll(within: number): void
  /** Tells those that were requested since they were told last. */
  tellRequested(): void
  /** Starts to tell them from time to time; the result stops it. */
  start(): () => void
}

/** A session that plays is told again after this part of SESSION_IDLE. */
const REPORT = 1 / 2
/** One with a user's number after this one, and after this many milliseconds at most. */
const REPORT_LIMITED = { part: 1 / 4, most: 30_000 }
/** How soon they are told again to a store that was emptied; milliseconds. */
const AGAIN_LIMITED = 10_000
/** Milliseconds between two looks for such sessions, and the most of one look. */
const LOOK_EVERY = 250
const MOST_OF_A_LOOK = 2_000
/** How long an end waits for the store, in milliseconds. */
const SETTLES = 3_000

/** Sessions that end so may be resumed. */
const silences: ReadonlySet<SessionEnd> = new Set<SessionEnd>(['idle', 'evicted'])
/** Sessions that end so must not come back. */
const finals = new Set<SessionEnd>(['closed', 'denied', 'displaced', 'shared'])

export function createKnownSessions(options: KnownSessionsOptions): KnownSessions {
  const { written, clock, after, idle, isShared, limitedOf = () => undefined } = options
  /** By id, in the order of `toldAt`: those whose user has a number apart, as they are told more often. */
  const known = new Map<string, Kept>()
  const limited = new Map<string, Kept>()
  /** Those that have left the table, and whose end the store has not answered yet. */
  const ending = new Map<string, { readonly kept: Kept; readonly settle: (isMoved: boolean) => void }>()
  /** What is still to be told again. */
  let again: Kept[] = []
  let againInALook = 0

  const tell = (kept: Kept, isUrgent = false): void => {
    if (kept.removed) return
    kept.limited = limitedOf(kept.session) ?? kept.limited
    kept.number ??= options.number()
    written().changed(kept, isUrgent)
  }

  const isRequested = ({ session, toldAt }: Kept): boolean => session.activeAt > toldAt

  /** What the viewer has here beside it. */
  const othersOf = ({ session }: Kept): Kept[] =>
    [...(options.sessionsOf?.(session.viewer) ?? [])].flatMap(({ id }) => known.get(id) ?? [])

  const putLast = (kept: Kept, now: number): void => {
    const { id } = kept.session
    kept.toldAt = now
    known.delete(id)
    known.set(id, kept)
    limited.delete(id)
    if (kept.limited !== undefined) limited.set(id, kept)
  }

  const forget = (id: string): void => {
    known.delete(id)
    limited.delete(id)
  }

  const endedElsewhere = (id: string, end: End): void => {
    const kept = known.get(id)
    if (kept === undefined || kept.removed) return
    kept.removed = true
    options.onEndedElsewhere?.(kept.session, end)
  }

  const removeFromStore = (kept: Kept, end: Removal['end']): void => {
    const { id, viewer } = kept.session
    kept.removed = true
    void written().remove({ id, viewer, end })
  }

  /** Reports those of a list that were told longest ago. */
  const report = (list: Map<string, Kept>, every: number, now: number): void => {
    let looked = 0
    for (const kept of list.values()) {
      if (now - kept.toldAt < every || looked++ === MOST_OF_A_LOOK) break
      if (isRequested(kept)) tell(kept)
      putLast(kept, now)
    }
  }

  return {
    get: (id) => known.get(id),
    standing: (id) => known.get(id) ?? ending.get(id)?.kept,
    add(kept) {
      tell(kept, isShared)
      putLast(kept, clock())
    },
    granted(session, resumeFor) {
      const now = clock()
      const kept: Kept = known.get(session.id) ?? {
        ...{ session, allowedAt: now, resumeFor, toldAt: now, from: now, number: options.number() },
        ...{ part: 1, came: 'opened', silent: false, removed: false, limited: undefined, hasLeft: false },
      }
      kept.allowedAt = now
      kept.resumeFor = resumeFor
      // Its next request may come to another gate, as soon as its player has the playlist.
      tell(kept, isShared)
      putLast(kept, now)
    },
    changed(session) {
      const kept = known.get(session.id)
      if (kept !== undefined) tell(kept)
    },
    removed(id) {
      const kept = known.get(id)
      if (kept !== undefined) kept.removed = true
    },
    ended(session, why, done) {
      const kept = known.get(session.id)
      if (kept === undefined) return done(why)
      const { id } = session
      /** Whoever is told looks up its standing. */
      const tellNow = (how: SessionEnd): void => {
        ending.set(id, { kept, settle: () => {} })
        done(how)
        ending.delete(id)
      }
      const others = isShared || why === 'idle' ? othersOf(kept) : []
      forget(id)
      kept.silent = true
      if (kept.removed) return tellNow(why)
      const isSilence = silences.has(why)
      if (!isSilence || (kept.resumeFor === 0 && !isShared)) {
        removeFromStore(kept, finals.has(why) ? { why: why as End['why'] } : undefined)
        return tellNow(why)
      }
      kept.hasLeft = hasLeft(kept, others)
      tell(kept)
      if (!isShared) return tellNow(why)
      const settle = (isMoved: boolean): void => {
        if (ending.get(id)?.kept !== kept) return
        cancel()
        done(isMoved ? 'moved' : why)
        ending.delete(id)
      }
      const cancel = after(SETTLES, () => settle(false))
      ending.set(id, { kept, settle })
    },
    settle: (id) => ending.get(id)?.settle(false),
    endedElsewhere,
    endClosed(fresh) {
      if (fresh.length === 0) return 0
      const closed = [...known.values()].filter((kept) =>
        fresh.some(({ filter, number }) => (kept.number ?? number) < number && matches(filter, kept.session)),
      )
      for (const { session } of closed) endedElsewhere(session.id, { why: 'closed' })
      return closed.length
    },
    told(kept, asSilent, outcome, end) {
      const { id } = kept.session
      if (asSilent && ending.get(id)?.kept === kept) ending.get(id)?.settle(outcome === 'moved')
      else if (outcome === 'ended') endedElsewhere(id, end ?? { why: 'closed' })
    },
    numbered(number) {
      for (const kept of known.values()) kept.number ??= number
    },
    tellAll(within) {
      const others = [...known.values()].filter(({ session }) => !limited.has(session.id))
      again = [...limited.values(), ...others]
      const looks = Math.max(1, Math.floor(Math.min(within, idle * REPORT) / LOOK_EVERY))
      const first = Math.ceil(limited.size / (AGAIN_LIMITED / LOOK_EVERY))
      againInALook = Math.max(first, Math.ceil(again.length / looks))
    },
    tellRequested() {
      for (const kept of known.values()) if (isRequested(kept)) tell(kept)
    },
    start() {
      let cancel = (): void => {}
      const look = (): void => {
        const now = clock()
        report(limited, Math.min(idle * REPORT_LIMITED.part, REPORT_LIMITED.most), now)
        report(known, idle * REPORT, now)
        for (const kept of again.splice(0, againInALook)) if (known.has(kept.session.id)) tell(kept)
        cancel = after(LOOK_EVERY, look)
      }
      cancel = after(LOOK_EVERY, look)
      return () => cancel()
    },
  }
}
