import { createChanges } from './changes.ts'
import type { CloseMark } from './close-mark.ts'
import { waysTo } from './cookie-ways.ts'
import { type Kept, recordOf, type StoreClock } from './kept.ts'
import type { NotDone, Removal, Write } from './record-store.ts'
import { createRemovals, type Removed } from './removals.ts'
import { AFTER_ALLOW, AFTER_LEAVING } from './silence.ts'
import type { StoreLink } from './store-link.ts'

export interface WriteBehindOptions {
  readonly link: Pick<StoreLink, 'use' | 'state'>
  readonly clock: StoreClock
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /**
   * For a store that gates share: a session is written, as silent or not, or the store has not taken it.
   * Undefined for a folder.
   */
  readonly onWritten?: ((kept: Kept, asSilent: boolean, notDone: NotDone | undefined) => void) | undefined
}

/**
 * Tells the store what has changed: openings and grants in batches, ends at once. What cannot be written
 * waits here, and is written when the store is back.
 */
export interface WriteBehind {
  /** The session has changed; it is written within `EVERY`, or at once. */
  changed(kept: Kept, isUrgent?: boolean): void
  /** Removes a session for good. Resolves when that is written, or has failed: then it is tried again. */
  remove(removal: Removal): Promise<Removed>
  /** Another gate has removed it. */
  removedElsewhere(session: Removal): void
  /** Adds a mark. Resolves with whether that is written. */
  mark(mark: CloseMark): Promise<boolean>
  /** A session that is not written yet in its present state. */
  unwritten(session: Removal): Kept | undefined
  /** Silent sessions of a viewer that are not written yet. */
  silentOf(viewer: string): Iterable<Kept>
  /** Whether this session is to be removed, or was a moment ago: an older record may be on its way. */
  isRemoved(id: string): boolean
  /** The store has forgotten everything: the ends of sessions are told again. */
  tellEndsAgain(): void
  /** Writes what there is, and resolves when that is done, or has failed. */
  flush(): Promise<void>
  /** What waits to be written. */
  waiting(): number
}

/** Milliseconds from a change until it is written. */
const EVERY = 100
/** Most sessions of one batch: no hit is answered while they are encoded. */
const BATCH = 500
/**
 * A record of a session that played when its process died is kept for so long, so that its end can still be
 * told; milliseconds.
 */
const KEEP_PLAYING = 24 * 3_600_000
/** The same for a store that gates share: one of them is always there to tell it. */
const SHARED_KEEP_PLAYING = 3_600_000
/** What belongs to a part of the store that is away is tried again after so many milliseconds. */
const TRY_AGAIN = 1_000

export function createWriteBehind(options: WriteBehindOptions): WriteBehind {
  const { link, clock, idle, after, onWritten } = options
  const isShared = onWritten !== undefined
  const changes = createChanges()
  const removals = createRemovals({ after, isShared })
  const marks = new Set<CloseMark>()
  /** Written again later: their part of the store is away. */
  const away: Kept[] = []
  let isAwayWaiting = false
  let cancelTimer: (() => void) | undefined
  let flushing: Promise<void> | undefined

  const write = async (batch: readonly Kept[]): Promise<boolean> => {
    const writes: Write[] = batch.map((kept) => ({
      record: recordOf(kept, clock),
      expiresAt: expiryOf(kept) + clock.offset,
    }))
    const ways = writes.flatMap(waysTo)
    const notDone = await link.use('write', (store) => store.write([...writes, ...ways]))
    if (notDone === undefined) {
      putBack(batch)
      return false
    }
    const reasons = new Map(notDone.map((one) => [one.id, one]))
    for (const [at, kept] of batch.entries()) {
      const reason = reasons.get(kept.session.id)
      if (reason?.why === 'away') away.push(kept)
      else changes.written(kept)
      onWritten?.(kept, writes[at]?.record.silent === true, reason)
    }
    return true
  }

  const putBack = (all: readonly Kept[]): void => {
    for (const kept of all) {
      const { id } = kept.session
      if (!removals.has(id) && !changes.has(id)) changes.add(kept)
    }
  }

  /** Milliseconds of the monotonic clock. */
  const expiryOf = ({ session, silent, hasLeft, allowedAt, resumeFor }: Kept): number => {
    const { lastSeen, activeAt } = session
    if (silent) {
      const resumable = hasLeft ? Math.min(resumeFor, AFTER_LEAVING) : resumeFor
      return Math.min(lastSeen + resumable, allowedAt + AFTER_ALLOW)
    }
    return activeAt + idle + (isShared ? Math.max(SHARED_KEEP_PLAYING, resumeFor) : KEEP_PLAYING)
  }

  const remove = async (batch: readonly Removal[]): Promise<boolean> => {
    const notDone = await link.use('remove', (store) => store.remove(batch))
    if (notDone === undefined) return false
    removals.written(batch, notDone)
    return true
  }

  const writeMarks = async (): Promise<boolean> => {
    for (const mark of marks) {
      const isDone = await link.use('mark', async (store) => {
        await store.mark(mark)
        return true
      })
      if (isDone !== true) return false
      marks.delete(mark)
    }
    return true
  }

  /** One command at a time, so that a removal never overtakes the record that it removes. */
  const flushAll = async (): Promise<void> => {
    let triedMarks = false
    for (;;) {
      const ended = removals.next(BATCH)
      if (ended.length > 0) {
        if (!(await remove(ended))) return
        continue
      }
      // Of a store that gates share the part with the marks may be away, while the others are not.
      if (marks.size > 0 && !(isShared && triedMarks) && !(await writeMarks()) && !isShared) return
      triedMarks = true
      const batch = changes.take(BATCH)
      if (batch.length === 0) return
      if (!(await write(batch))) return
    }
  }

  const flush = async (): Promise<void> => {
    cancelTimer?.()
    cancelTimer = undefined
    if (!link.state().usable) return
    // What came during the last turn of a flush is not in it.
    if (flushing !== undefined) await flushing
    flushing ??= flushAll().finally(() => {
      flushing = undefined
      tryAwayAgain()
    })
    await flushing
  }

  /** Later, so that the other parts of the store do not wait for it. */
  const tryAwayAgain = (): void => {
    if (!isShared || isAwayWaiting || away.length + removals.away() + marks.size === 0) return
    isAwayWaiting = true
    after(TRY_AGAIN, () => {
      isAwayWaiting = false
      putBack(away.splice(0))
      removals.tryAwayAgain()
      void flush()
    })
  }

  return {
    changed(kept, isUrgent = false) {
      if (removals.has(kept.session.id)) return
      changes.add(kept)
      if (isUrgent) void flush()
      else if (cancelTimer === undefined && link.state().usable)
        cancelTimer = after(EVERY, () => void flush())
    },
    async remove(removal) {
      changes.delete(removal)
      removals.add(removal)
      await flush()
      return removals.outcomeOf(removal.id)
    },
    removedElsewhere(session) {
      changes.delete(session)
      removals.forget(session.id)
    },
    async mark(mark) {
      marks.add(mark)
      await flush()
      return !marks.has(mark)
    },
    unwritten: changes.get,
    silentOf: changes.silentOf,
    isRemoved: removals.has,
    tellEndsAgain: removals.repeat,
    flush,
    waiting: () => changes.size() + removals.waiting() + marks.size + away.length,
  }
}
