import type { Return, Stored } from '../decision/stored.ts'
import { addressOf, type Identity, type Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { ClosedFilter } from './close-mark.ts'
import { createCloseMarks } from './close-marks.ts'
import { createRebuild, type Kept, type Standing, type StoreClock } from './kept.ts'
import { createKnownSessions, type KnownSessionsOptions } from './known-sessions.ts'
import { createRecall } from './recall.ts'
import { createStoreLink, type StoreLinkOptions, type StoreState } from './store-link.ts'
import { createSweep, type SweepOptions } from './sweep.ts'
import { createWriteBehind } from './write-behind.ts'

export interface SessionStoreOptions
  extends Omit<StoreLinkOptions, 'prepare' | 'onOpened'>,
    Pick<SweepOptions, 'idle' | 'max' | 'onSilent' | 'onClosed'>,
    Pick<KnownSessionsOptions, 'limitedOf'> {
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  /** STATE_TIMEOUT: how long a request waits for the store, in milliseconds. */
  readonly timeout: number
  readonly onReturned: (session: Session, as: Return) => void
}

/** The sessions beyond this process: for the decision, for the service, and for the operator. */
export interface SessionStore extends Stored {
  /** Opens the store, within `patience` milliseconds. */
  start(patience: number): Promise<void>
  /** Writes what there is and closes the store, within `patience` milliseconds each. */
  stop(patience: number): Promise<void>
  /** A session has left the table. Call it after all who want to know its standing. */
  ended(session: Session, why: SessionEnd): void
  /** How a session stands that a backend has allowed and that is in the table, or has just left it. */
  standing(session: Session): Standing | undefined
  /**
   * Removes a session of the table for good, before the caller ends it. Resolves with whether that is
   * written; else it holds in this process, and is written later.
   */
  remove(session: Pick<Session, 'id' | 'viewer'>): Promise<boolean>
  /** From now on nothing counts that was opened before and matches. Resolves as `remove`. */
  mark(filter: ClosedFilter): Promise<boolean>
  /**
   * Removes all sessions that match and that only the store holds. Resolves with their number; undefined:
   * not all could be seen.
   */
  removeStored(which: ClosedFilter & { readonly id?: string }): Promise<number | undefined>
  state(): StoreState
  /** Changes that wait to be written. */
  waiting(): number
  /** Bytes that the records took when they were counted last. */
  bytes(): number
  /** Walks through all records now; see `Sweep.pass`. */
  sweep(): Promise<void>
}

/** A closing counts as long as something may be resumed that was opened before it; milliseconds. */
const KEEP_MARK = 25 * 3_600_000

/** Joins a store with the sessions of this process. */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { store, clock: now, after, idle, timeout } = options
  const clock: StoreClock = { now, offset: 0 }
  const marks = createCloseMarks()
  /** Closings from before the store was open for the first time. */
  let early: { readonly filter: ClosedFilter; readonly at: number }[] | undefined = []

  const link = createStoreLink({
    ...options,
    async prepare(open) {
      for (const mark of await open.marks()) marks.add(mark)
      clock.offset = open.now() - now()
    },
    onSetAside(sentence) {
      options.onSetAside(sentence)
      // The fresh store knows none of the closings.
      for (const mark of marks.all()) void written.mark(mark)
    },
    onOpened: () => opened(),
  })
  const written = createWriteBehind({ link, clock, idle, after })
  const known = createKnownSessions({ ...options, written })
  const rebuild = createRebuild(options.identify, options.scopeOf)
  const { recall, sessionsOf, isClosed } = createRecall({
    link,
    written,
    known,
    marks,
    rebuild,
    clock,
    idle,
  })
  const sweep = createSweep({ ...options, link, written, known, sessionsOf, isClosed, clock })

  const opened = (): void => {
    for (const { filter, at } of early ?? []) void addMark(filter, at)
    early = undefined
    known.tellAll()
    void written.flush()
  }

  const addMark = (filter: ClosedFilter, monotonic: number): Promise<boolean> => {
    const at = monotonic + clock.offset
    const mark = { filter, at, until: at + KEEP_MARK }
    marks.prune(store.now())
    marks.add(mark)
    return written.mark(mark)
  }

  const isFree = (session: Session): boolean =>
    known.get(session.id) === undefined && !written.isRemoved(session.id) && !isClosed(session)

  const remove = ({ id, viewer }: Pick<Session, 'id' | 'viewer'>): Promise<boolean> => {
    known.removed(id)
    return written.remove({ id, viewer })
  }

  let stopLooking = (): void => {}
  let stopSweeping = (): void => {}
  return {
    timeout,
    recall,
    isFree: ({ session }) => isFree(session),
    take({ session, allowedAt, resumeFor, part, limited, silent }, as) {
      if (!isFree(session)) return false
      const kept: Kept = {
        ...{ session, allowedAt, resumeFor, limited, part, came: as, toldAt: now() },
        ...{ silent: false, removed: false },
      }
      known.add(kept)
      if (as === 'resumed') {
        if (!silent) options.onSilent(session)
        kept.part++
      }
      options.onReturned(session, as)
      return true
    },
    granted: known.granted,
    postponed: known.changed,
    async end(session) {
      await Promise.race([remove(session), pause(timeout)])
    },

    async start(patience) {
      await link.start(patience)
      stopLooking = known.start()
      stopSweeping = sweep.start()
    },
    async stop(patience) {
      stopLooking()
      stopSweeping()
      known.tellRequested()
      await Promise.race([written.flush(), pause(patience)])
      await link.stop(patience)
    },
    ended: known.ended,
    standing: (session) => known.get(session.id) ?? written.unwritten(session),
    remove,
    async mark(filter) {
      if (early === undefined) return await addMark(filter, now())
      early.push({ filter, at: now() })
      return false
    },
    removeStored: ({ id, channel, address, user }) =>
      sweep.removeAll(
        (session) =>
          (id ?? session.id) === session.id &&
          (channel ?? session.scope.shownChannel) === session.scope.shownChannel &&
          (address ?? addressOf(session.viewer)) === addressOf(session.viewer) &&
          (user ?? session.userId) === session.userId,
      ),
    state: link.state,
    waiting: written.waiting,
    bytes: sweep.bytes,
    sweep: sweep.pass,
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void after(milliseconds, resolve))
  }
}
