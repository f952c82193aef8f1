import type { End, Return, Stored } from '../decision/stored.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { ClosedFilter } from './close-mark.ts'
import { createCloseMarks } from './close-marks.ts'
import { createRebuild, type Kept, type Standing, type StoreClock } from './kept.ts'
import { createKnownSessions, type KnownSessionsOptions } from './known-sessions.ts'
import { createNews } from './news.ts'
import { createRecall } from './recall.ts'
import { createRecallTurns } from './recall-turns.ts'
import type { SharedStore } from './shared-store.ts'
import { createStoreLink, type StoreLink, type StoreLinkOptions, type StoreState } from './store-link.ts'
import { createSweep, type SweepOptions } from './sweep.ts'
import { createWriteBehind } from './write-behind.ts'

export interface SessionStoreOptions
  extends Omit<StoreLinkOptions, 'prepare' | 'onOpened' | 'onForgotten'>,
    Pick<SweepOptions, 'idle' | 'max' | 'onSilent' | 'onClosed'>,
    Pick<KnownSessionsOptions, 'limitedOf' | 'sessionsOf' | 'onEndedElsewhere'> {
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  /** STATE_TIMEOUT: how long a request waits for the store, in milliseconds. */
  readonly timeout: number
  readonly onReturned: (session: Session, as: Return) => void
  /** The store again, where gates share it. */
  readonly shared?: SharedStore | undefined
  /** Joins this process with its store; that of a folder unless given. */
  readonly createLink?: ((options: StoreLinkOptions) => StoreLink) | undefined
}

/** The sessions beyond this process: for the decision, for the service, and for the operator. */
export interface SessionStore extends Stored {
  /** Opens the store, within `patience` milliseconds. */
  start(patience: number): Promise<void>
  /** Writes what there is and closes the store, within `patience` milliseconds each. */
  stop(patience: number): Promise<void>
  /**
   * A session has left the table. Call it after all who want to know its standing. With a shared store it
   * resolves with how the session has ended, and its standing is known until then.
   */
  ended(session: Session, why: SessionEnd): Promise<SessionEnd> | undefined
  /** How a session stands that a backend has allowed and that is in the table, or has just left it. */
  standing(session: Session): Standing | undefined
  /**
   * Removes a session of the table for good, before the caller ends it. Resolves with whether that is
   * written; else it holds in this process, and is written later.
   */
  remove(session: Pick<Session, 'id' | 'viewer'>, end: End): Promise<boolean>
  /** From now on nothing counts that was opened before and matches. Resolves as `remove`. */
  mark(filter: ClosedFilter): Promise<boolean>
  /**
   * Removes all sessions that match and that only the store holds. Resolves with their number; undefined:
   * not all could be seen.
   */
  removeStored(which: ClosedFilter): Promise<number | undefined>
  state(): StoreState
  /** Whole milliseconds from the monotonic clock to the time of the store, which all gates share. */
  offset(): number
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
  const { store, clock: now, after, idle, timeout, shared } = options
  const clock: StoreClock = { now, offset: 0 }
  const marks = createCloseMarks()
  /** Closings from before the store was open for the first time. */
  let early: { readonly filter: ClosedFilter; readonly at: number }[] | undefined = []

  const link = (options.createLink ?? createStoreLink)({
    ...options,
    async prepare(open) {
      for (const mark of await open.marks()) marks.add(mark)
      clock.offset = Math.round(open.now() - now())
    },
    onSetAside(sentence) {
      options.onSetAside(sentence)
      // The fresh store knows none of the closings.
      for (const mark of marks.all()) void written.mark(mark)
    },
    onOpened: () => opened(),
    onForgotten() {
      for (const mark of marks.all()) void written.mark(mark)
      written.tellEndsAgain()
      void written.flush()
      known.tellAll()
    },
  })
  const written = createWriteBehind({
    ...{ link, clock, idle, after },
    ...(shared !== undefined && { onWritten: (...done) => known.written(...done) }),
  })
  const known = createKnownSessions({ ...options, written, isShared: shared !== undefined })
  const rebuild = createRebuild(options.identify, options.scopeOf)
  const recalling = createRecall({
    link,
    written,
    known,
    marks,
    rebuild,
    clock,
    idle,
    after,
    ...(shared && { turns: createRecallTurns() }),
  })
  const { recall, sessionsOf, isClosed } = recalling
  const claim = shared && ((forMs: number) => shared.claimSweep(forMs))
  const sweep = createSweep({ ...options, claim, link, written, known, sessionsOf, isClosed, clock })
  const news = shared && createNews(shared.messages)

  const opened = (): void => {
    for (const { filter, at } of early ?? []) void addMark(filter, at)
    early = undefined
    endClosed()
    known.tellAll()
    void written.flush()
  }

  /** Closings of other gates reach those who play here. */
  const endClosed = (): void => {
    if (shared === undefined) return
    for (const { session } of [...known.all()])
      if (isClosed(session)) known.endedElsewhere(session.id, { why: 'closed' })
  }

  const addMark = async (filter: ClosedFilter, monotonic: number): Promise<boolean> => {
    const at = monotonic + clock.offset
    const mark = { filter, at, until: at + KEEP_MARK }
    marks.prune(store.now())
    marks.add(mark)
    const isWritten = await written.mark(mark)
    news?.tellMark(mark)
    return isWritten
  }

  news?.listen({
    ended(session, end) {
      written.removedElsewhere(session)
      known.endedElsewhere(session.id, end)
    },
    marked(mark) {
      marks.add(mark)
      endClosed()
    },
    lost: () => known.tellAll(),
  })

  const isFree = (session: Session): boolean =>
    known.get(session.id) === undefined && !written.isRemoved(session.id) && !isClosed(session)

  const remove = async ({ id, viewer }: Pick<Session, 'id' | 'viewer'>, end: End): Promise<boolean> => {
    const removing = written.remove({ id, viewer, end })
    known.removed(id, removing)
    const outcome = await removing
    if (outcome === 'written') news?.tellEnd({ id, viewer }, end)
    return outcome !== 'waiting'
  }

  let stopLooking = (): void => {}
  let stopSweeping = (): void => {}
  return {
    timeout,
    recall,
    ...(shared && { askedElsewhere: recalling.askedElsewhere, recallLater: recalling.recallLater }),
    isFree: ({ session }) => isFree(session),
    take({ session, allowedAt, resumeFor, part, limited, silent }, as) {
      if (!isFree(session)) return false
      const kept: Kept = {
        ...{ session, allowedAt, resumeFor, limited, part, came: as, toldAt: now() },
        ...{ silent: false, removed: false, hasLeft: false, isAskedElsewhere: as === 'adopted' },
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
    async end(session, end) {
      await Promise.race([remove(session, end), pause(timeout)])
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
    standing: (session) => known.standing(session.id) ?? written.unwritten(session),
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
          (address ?? session.address) === session.address &&
          (user ?? session.userId) === session.userId,
      ),
    state: link.state,
    offset: () => clock.offset,
    waiting: written.waiting,
    bytes: sweep.bytes,
    sweep: sweep.pass,
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void after(milliseconds, resolve))
  }
}
