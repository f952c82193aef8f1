import type { Limited } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import { createEndings } from './endings.ts'
import type { Kept } from './kept.ts'
import type { NotDone } from './record-store.ts'
import type { Removed } from './removals.ts'
import { hasLeft } from './silence.ts'
import { createSilentSessions } from './silent-sessions.ts'
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
  /** Other gates may have the same sessions. */
  readonly isShared: boolean
  /** The sessions of a viewer in the table. */
  readonly sessionsOf?: (viewer: string) => Iterable<Session>
  /** Another gate has ended a session of this one. */
  readonly onEndedElsewhere?: (session: Session, end: End) => void
}

/** The allowed sessions of the table, and what the store is told of them. */
export interface KnownSessions {
  get(id: string): Kept | undefined
  /** As `get`, and also one whose end is not settled. */
  standing(id: string): Kept | undefined
  /** Resolves when the ends of this viewer's sessions are settled; undefined where there are none. */
  settling(viewer: string): Promise<unknown> | undefined
  /** A session has come back from the store. */
  add(kept: Kept): void
  /** A backend has allowed a session, for the first time or again. */
  granted(session: Session, resumeFor: number): void
  /** A session has changed otherwise. */
  changed(session: Session): void
  /** It has ended for good, before it leaves the table: nothing is told of it any more. */
  removed(id: string, outcome: Promise<Removed>): void
  /**
   * It has left the table. With a shared store it resolves with how it has ended, since another gate may go
   * on with it or have told its end; until then `standing` knows it.
   */
  ended(session: Session, why: SessionEnd): Promise<SessionEnd> | undefined
  /** Another gate has ended a session. */
  endedElsewhere(id: string, end: End): void
  /** A session is written, or a shared store has not taken it. */
  written(kept: Kept, asSilent: boolean, notDone: NotDone | undefined): void
  /** Tells all, for a store that was away. */
  tellAll(): void
  /** Tells those that were requested since they were told last. */
  tellRequested(): void
  all(): Iterable<Kept>
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
/** Sessions that end so must not come back at another gate. */
const ends = new Set<SessionEnd>(['closed', 'denied', 'displaced', 'shared'])

export function createKnownSessions(options: KnownSessionsOptions): KnownSessions {
  const { written, clock, after, idle, isShared, limitedOf = () => undefined } = options
  /** By id. The order is that of `toldAt`. */
  const known = new Map<string, Kept>()
  const endings = createEndings(after)
  const removals = new WeakMap<Kept, Promise<Removed>>()
  const silent = createSilentSessions(clock)
  /** What is still to be told again. */
  let again: Kept[] = []
  let againInALook = 0

  const tell = (kept: Kept, isUrgent = false): void => {
    if (kept.removed) return
    kept.limited = limitedOf(kept.session) ?? kept.limited
    written.changed(kept, isUrgent)
  }

  const isRequested = ({ session, toldAt }: Kept): boolean => session.activeAt > toldAt

  /** Another gate is asking about it now, or has: what this one knows must not take the place of that. */
  const isOutdated = ({ isAskedElsewhere, session }: Kept, now: number): boolean =>
    isAskedElsewhere && now >= session.dueAt

  /** What the viewer has here beside it. */
  const othersOf = ({ session }: Kept): Kept[] =>
    [...(options.sessionsOf?.(session.viewer) ?? [])].flatMap(({ id }) => known.get(id) ?? [])

  const putLast = (kept: Kept, now: number): void => {
    kept.toldAt = now
    known.delete(kept.session.id)
    known.set(kept.session.id, kept)
  }

  /** Another gate may have the session, too: the store says whose the end is. */
  const settle = (kept: Kept, why: SessionEnd): Promise<SessionEnd> => {
    const { id } = kept.session
    const settled = endings.add(kept, why)
    const removal = removals.get(kept)
    if (removal === undefined) tell(kept)
    else void removal.then((outcome) => endings.settle(id, outcome === 'ended-before' ? 'moved' : 'ours'))
    // Where it may be resumed, a store that has forgotten it is told again.
    void settled.then((how) => {
      if (how !== 'moved' && !kept.removed && !known.has(id)) silent.add(kept)
    })
    return settled
  }

  const endedElsewhere = (id: string, end: End): void => {
    silent.delete(id)
    const kept = known.get(id)
    if (kept === undefined || kept.removed) return
    kept.removed = true
    removals.set(kept, Promise.resolve('ended-before'))
    options.onEndedElsewhere?.(kept.session, end)
  }

  return {
    get: (id) => known.get(id),
    standing: (id) => known.get(id) ?? endings.get(id),
    settling: endings.of,
    add(kept) {
      known.set(kept.session.id, kept)
      silent.delete(kept.session.id)
      tell(kept)
    },
    granted(session, resumeFor) {
      const now = clock()
      const kept: Kept = known.get(session.id) ?? {
        ...{ session, allowedAt: now, resumeFor, toldAt: now },
        ...{
          part: 1,
          came: 'opened',
          silent: false,
          removed: false,
          limited: undefined,
          hasLeft: false,
          isAskedElsewhere: false,
        },
      }
      kept.allowedAt = now
      kept.resumeFor = resumeFor
      kept.isAskedElsewhere = false
      putLast(kept, now)
      // Its next request may come to another gate, as soon as its player has the playlist, and its next
      // re-check may be due there.
      tell(kept, isShared)
    },
    changed(session) {
      const kept = known.get(session.id)
      if (kept !== undefined) tell(kept)
    },
    removed(id, outcome) {
      const kept = known.get(id)
      if (kept === undefined) return
      kept.removed = true
      removals.set(kept, outcome)
    },
    ended(session, why) {
      const kept = known.get(session.id)
      if (kept === undefined) return undefined
      known.delete(session.id)
      if (why === 'moved') return undefined
      if (isShared) {
        kept.silent = true
        kept.hasLeft = hasLeft(kept, othersOf(kept))
        if (!kept.removed && !silences.has(why)) {
          kept.removed = true
          const end = ends.has(why) ? { end: { why: why as End['why'] } } : {}
          removals.set(kept, written.remove({ id: session.id, viewer: session.viewer, ...end }))
        }
        return settle(kept, why)
      }
      if (kept.removed) return undefined
      kept.silent = true
      if (silences.has(why) && kept.resumeFor > 0) tell(kept)
      else void written.remove(session)
      return undefined
    },
    endedElsewhere,
    written(kept, asSilent, notDone) {
      const { id } = kept.session
      if (notDone?.why === 'ended') silent.delete(id)
      const isOurs = notDone === undefined || notDone.why === 'away'
      if (asSilent && endings.get(id) === kept) endings.settle(id, isOurs ? 'ours' : 'moved')
      else if (notDone?.why === 'ended' && notDone.end !== undefined) endedElsewhere(id, notDone.end)
    },
    tellAll() {
      if (!isShared) {
        for (const kept of known.values()) tell(kept)
        return
      }
      again = [...silent.all(), ...known.values()]
      againInALook = Math.ceil((again.length * LOOK_EVERY) / (idle * REPORT))
    },
    tellRequested() {
      for (const kept of known.values()) if (isRequested(kept)) tell(kept)
    },
    all: () => known.values(),
    start() {
      let cancel = (): void => {}
      const look = (): void => {
        const now = clock()
        let looked = 0
        for (const kept of known.values()) {
          if (now - kept.toldAt < idle * REPORT || looked++ === MOST_OF_A_LOOK) break
          if (isOutdated(kept, now)) continue
          if (isRequested(kept)) tell(kept)
          putLast(kept, now)
        }
        for (const kept of again.splice(0, againInALook))
          if (known.has(kept.session.id) || silent.has(kept.session.id)) tell(kept)
        cancel = after(LOOK_EVERY, look)
      }
      cancel = after(LOOK_EVERY, look)
      return () => cancel()
    },
  }
}
