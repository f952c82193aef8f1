import type { End, Return, Stored } from '../decision/stored.ts'
import type { Identity, Target } from '../session/identity.ts'
import type { Scope } from '../session/scope.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import { createDueNow } from './due-now.ts'
import type { StorePost } from './heartbeat.ts'
import { createRebuild, type Kept, type Standing, type StoreClock } from './kept.ts'
import { createKnownSessions, type KnownSessionsOptions } from './known-sessions.ts'
import { type ClosedFilter, type CloseMark, createMarks, readWide } from './marks.ts'
import { createRecall } from './recall.ts'
import type { StoreEngine } from './store-engine.ts'
import { createStoreLink, type StoreLink, type StoreLinkOptions, type StoreState } from './store-link.ts'
import { createUserTexts, type UserTexts } from './user-texts.ts'
import { createVault, type Vault } from './vault.ts'
import { createWriteBehind } from './write-behind.ts'

export interface SessionStoreOptions
  extends Pick<StoreLinkOptions, 'engine' | 'after' | 'onChange' | 'onSetAside' | 'onCommand'>,
    Pick<KnownSessionsOptions, 'idle' | 'limitedOf' | 'sessionsOf' | 'onEndedElsewhere'> {
  /** STATE_SECRET: the first seals, all open; none = nothing is sealed. */
  readonly secrets: readonly string[]
  /** What records are judged under. Records of another configuration are unknown. */
  readonly configuration: string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly identify: (subrequest: Subrequest) => Identity
  readonly scopeOf: (target: Target) => Scope
  /** STATE_TIMEOUT: how long a request waits for the store, in milliseconds. */
  readonly timeout: number
  readonly onReturned: (session: Session, as: Return) => void
  /** A part of a session that an earlier process has served is over, and nobody has told that. */
  readonly onSilent: (session: Session) => void
}

/** The sessions beyond this process: for the decision, for the service, and for the operator. */
export interface SessionStore extends Stored {
  readonly link: StoreLink
  readonly vault: Vault
  readonly engine: StoreEngine
  /** What is kept of users, for the limit. */
  readonly users: UserTexts
  /** Whoever carries letters; before `start`. */
  join(post: StorePost): void
  /** Opens the store, within `patience` milliseconds. */
  start(patience: number): Promise<void>
  /** Writes what is new, within `LAST_WRITE`, then what there is; closes the store, within `patience`. */
  stop(patience: number): Promise<void>
  /**
   * A session has left the table. `done` is called with how it has ended: `moved` where another gate goes on
   * with it. Its standing is known until then.
   */
  ended(session: Session, why: SessionEnd, done?: (how: SessionEnd) => void): void
  /** How a session stands that a backend has allowed and that is in the table, or has just left it. */
  standing(session: Session): Standing | undefined
  /**
   * Ends a session of the table for good, before the caller ends it there. Resolves with whether that is
   * written; else it holds in this process, and is written later.
   */
  remove(session: Pick<Session, 'id' | 'viewer'>, end: End): Promise<boolean>
  /**
   * Nothing counts any more that has opened by now and matches. Resolves with the number of the mark, and
   * with whether it is written; else it holds in this process, and is written later.
   * @throws {TooManyMarks}
   */
  mark(filter: ClosedFilter): Promise<{ readonly number: number; readonly written: boolean }>
  /** Another gate has closed. Returns how many that has ended here; undefined where it was known. */
  heardMark(mark: CloseMark): number | undefined
  /** Another gate has ended a session. */
  heardEnd(id: string, end: End): void
  state(): StoreState
  /** Whole milliseconds from the monotonic clock to the time of the store. */
  offset(): number
  /** Changes that wait to be written. */
  waiting(): number
  /** Bytes that it takes; 0 where nothing bounds them here. */
  bytes(): number
  /** Sessions that were too large to be written. */
  tooLarge(): number
}

/** For so long after that nobody waits for a user; milliseconds. */
const LATE = 500
/** Whose session is not written when this process ends is cut; nginx waits 3 s for the next; milliseconds. */
const LAST_WRITE = 2_000

/** Joins a store with the sessions of this process. */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { engine, clock: now, after, idle, timeout } = options
  const { isShared, keys } = engine
  const clock: StoreClock = { now, offset: 0 }
  const marks = createMarks(now)
  const vault = createVault(options.secrets, options.configuration, keys)
  let post: StorePost | undefined
  let hasNumber = false
  /** When a request has waited in vain; monotonic milliseconds. */
  let lateAt = Number.NEGATIVE_INFINITY

  const link = createStoreLink({
    ...{ engine, vault, clock, after },
    ...{ onChange: options.onChange, onSetAside: options.onSetAside, onCommand: options.onCommand },
    about: () => post?.about() ?? '',
    prepare: () => recalling.readFormerMarks(engine),
    onOpened() {
      hasNumber = true
      known.numbered(link.number())
      tellAgain()
    },
    onForgotten() {
      written.tellAgain()
      tellAgain()
    },
    onStepped: () => tellAgain(),
    async onWide() {
      const there = await engine.wide()
      const text = there && vault.open(there.value, keys.wide)
      const all = (text && readWide(text)) || []
      known.endClosed(all.filter((one) => marks.add(one, one.until - clock.offset)))
    },
    onLetter(text) {
      if (text !== undefined) post?.heard(text)
    },
    onCut: () => tellAgain(),
  })
  const known = createKnownSessions({
    ...options,
    isShared,
    written: () => written,
    number: () => (hasNumber ? link.number() : undefined),
  })
  const written = createWriteBehind({
    ...{ link, keys, vault, marks, clock, idle, after },
    onTold: (...told) => known.told(...told),
    onReported(batch) {
      const users = batch.map(({ session }) => session.userId)
      void recalling.lookUpUsers(users, isShared).then(known.endClosed)
    },
    onEndWritten({ id, end }, gate) {
      if (end !== undefined && gate !== undefined && gate !== engine.gate) post?.ended(gate, { id }, end)
    },
    onMarked: (mark) => post?.marked(mark),
  })
  const rebuild = createRebuild(options.identify, options.scopeOf)
  const recalling = createRecall({
    ...{ link, keys, vault, written, known, marks, rebuild, clock, idle },
    sessionsOf: options.sessionsOf,
  })
  const users = createUserTexts({
    ...{ link, vault, keys, isShared, clock, timeout, after },
    isLate: () => now() - lateAt < LATE,
  })

  /** A store that was away, or was emptied, may lack anything. */
  const tellAgain = (): void => {
    recalling.forget()
    known.tellAll(idle / 2)
    void written.flush()
  }

  const isFree = ({ session, number }: Pick<Kept, 'session' | 'number'>): boolean =>
    known.get(session.id) === undefined &&
    !written.isRemoved(session.id) &&
    !recalling.isClosed({ session, number })

  const remove = async (session: Pick<Session, 'id' | 'viewer'>, end: End): Promise<boolean> => {
    known.removed(session.id)
    return await written.remove({ id: session.id, viewer: session.viewer, end })
  }

  const dueNow = createDueNow({
    known,
    recalling,
    written,
    isFree,
    clock: now,
    sessionsOf: options.sessionsOf,
  })
  let stopLooking = (): void => {}
  return {
    ...{ timeout, link, vault, engine, users },
    recall(asked) {
      const recalled = recalling.recall(asked)
      const cancel =
        recalled &&
        after(timeout, () => {
          lateAt = now()
        })
      void recalled?.finally(cancel)
      return recalled
    },
    isFree,
    take({ session, allowedAt, resumeFor, part, limited, silent, number }, as) {
      if (!isFree({ session, number })) return false
      known.settle(session.id)
      recalling.forgetOne(session.id)
      const kept: Kept = {
        ...{ session, allowedAt, resumeFor, limited, part, number, came: as, toldAt: now(), from: now() },
        ...{ silent: false, removed: false, hasLeft: false },
      }
      if (as === 'resumed') {
        if (!silent) options.onSilent(session)
        kept.part++
      }
      known.add(kept)
      options.onReturned(session, as)
      return true
    },
    granted(session, resumeFor) {
      recalling.forgetOne(session.id)
      known.granted(session, resumeFor)
    },
    postponed(session) {
      recalling.forgetOne(session.id)
      known.changed(session)
    },
    async end(session, end) {
      recalling.forgetOne(session.id)
      const isWritten = remove(session, end)
      if (end.why === 'denied' && 'query' in session) void dueNow(session as Session)
      await Promise.race([isWritten, pause(timeout)])
    },

    join(carrier) {
      post = carrier
    },
    async start(patience) {
      await link.start(patience)
      stopLooking = known.start()
    },
    async stop(patience) {
      stopLooking()
      const isOver = pause(patience)
      await Promise.race([written.flush(), pause(LAST_WRITE)])
      known.tellRequested()
      await Promise.race([written.flush(), isOver])
      await link.stop(patience)
    },
    ended: (session, why, done = () => {}) => known.ended(session, why, done),
    standing: (session) => known.standing(session.id) ?? written.unwritten(session),
    remove,
    async mark(filter) {
      const number = await link.nextNumber()
      return { number, written: await written.mark({ filter, number }) }
    },
    heardMark: (mark) => (marks.add(mark) ? known.endClosed([mark]) : undefined),
    heardEnd(id, end) {
      const kept = known.get(id)
      if (kept !== undefined) written.removedElsewhere({ id, viewer: kept.session.viewer, end })
      known.endedElsewhere(id, end)
    },
    state: link.state,
    offset: () => clock.offset,
    waiting: written.waiting,
    bytes: () => engine.bytes?.() ?? 0,
    tooLarge: written.tooLarge,
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void after(milliseconds, resolve))
  }
}
