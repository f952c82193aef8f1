import { LRUCache } from 'lru-cache'
import type { CloseMark } from './close-mark.ts'
import { type Kept, recordOf, type StoreClock } from './kept.ts'
import type { NotDone, Removal, Write } from './record-store.ts'
import { AFTER_ALLOW } from './silence.ts'
import type { StoreLink } from './store-link.ts'

export interface WriteBehindOptions {
  readonly link: Pick<StoreLink, 'use' | 'state'>
  readonly clock: StoreClock
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** A session is written, or a store that gates share has not taken it. */
  readonly onWritten?: (kept: Kept, notDone: NotDone | undefined) => void
}

/** What has become of a removal. `ended-before`: another gate has ended the session. */
export type Removed = 'written' | 'ended-before' | 'waiting'

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
  removedElsewhere(id: string): void
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
/**
 * An id is remembered for once to twice so long after its removal, in milliseconds: longer than a request may
 * wait between reading a record and taking its session.
 */
const REMEMBER_REMOVED = 60_000
/** Most ends that wait while the store is away. The oldest are given up. */
const MOST_REMOVALS = 200_000
/** Most bytes of silent sessions that wait. They are in no table, so nothing else bounds them. */
const MOST_SILENT = 64 * 1_048_576
/** What a part of the store has not taken that is away is tried again after so many milliseconds. */
const TRY_AGAIN = 1_000
/** Most ends that are kept to be told again. A session that was not ended may be resumed for as long. */
const MOST_ENDS = 100_000
const KEEP_ENDS = AFTER_ALLOW

export function createWriteBehind(options: WriteBehindOptions): WriteBehind {
  const { link, clock, idle, after, onWritten } = options
  const ends = new LRUCache<string, Removal>({ max: MOST_ENDS, ttl: KEEP_ENDS })
  /** What has become of removals whose callers wait. */
  const removed = new Map<string, Removed>()
  /** What is written again later: its part of the store is away. */
  const awayChanges = new Map<string, Kept>()
  const awayRemovals = new Map<string, Removal>()
  let isAwayWaiting = false
  const changes = new Map<string, Kept>()
  /** The silent ones of `changes`, and of the batch that is being written: by viewer, then by id. */
  const silent = new Map<string, Map<string, Kept>>()
  let silentBytes = 0
  const removals = new Map<string, Removal>()
  const marks = new Set<CloseMark>()
  let justRemoved = new Set<string>()
  let removedBefore = new Set<string>()
  let forgetting = false
  let cancelTimer: (() => void) | undefined
  let flushing: Promise<void> | undefined

  const write = async (batch: readonly Kept[]): Promise<boolean> => {
    const writes: Write[] = batch.map((kept) => ({
      record: recordOf(kept, clock),
      expiresAt: expiryOf(kept) + clock.offset,
    }))
    // What changes while it is written is written again.
    for (const kept of batch) changes.delete(kept.session.id)
    const notDone = await link.use('write', (store) => store.write(writes))
    if (notDone === undefined) {
      for (const kept of batch) {
        const { id } = kept.session
        if (!isRemoved(id) && !changes.has(id)) addChange(kept)
      }
      return false
    }
    const reasons = new Map(notDone.map((one) => [one.id, one]))
    for (const kept of batch) {
      const { session } = kept
      const reason = reasons.get(session.id)
      if (reason?.why === 'away') awayChanges.set(session.id, kept)
      else if (!changes.has(session.id)) forgetSilent(session)
      onWritten?.(kept, reason)
    }
    return true
  }

  const addChange = (kept: Kept): void => {
    const { id, viewer, bytes } = kept.session
    changes.set(id, kept)
    forgetSilent(kept.session)
    if (!kept.silent) return
    const others = silent.get(viewer) ?? new Map<string, Kept>()
    silent.set(viewer, others.set(id, kept))
    silentBytes += bytes
    for (const [, oldest] of silent) {
      if (silentBytes <= MOST_SILENT) break
      for (const { session } of oldest.values()) {
        changes.delete(session.id)
        forgetSilent(session)
      }
    }
  }

  /** Milliseconds of the monotonic clock. */
  const expiryOf = ({ session, silent: isSilent, allowedAt, resumeFor }: Kept): number =>
    isSilent
      ? Math.min(session.lastSeen + resumeFor, allowedAt + AFTER_ALLOW)
      : session.activeAt + idle + KEEP_PLAYING

  const forgetSilent = ({ id, viewer }: Removal): void => {
    const others = silent.get(viewer)
    const known = others?.get(id)
    if (others === undefined || known === undefined) return
    silentBytes -= known.session.bytes
    others.delete(id)
    if (others.size === 0) silent.delete(viewer)
  }

  const isRemoved = (id: string): boolean =>
    removals.has(id) || awayRemovals.has(id) || justRemoved.has(id) || removedBefore.has(id)

  const removeNow = async (): Promise<boolean> => {
    const batch: Removal[] = []
    for (const removal of removals.values()) if (batch.push(removal) === BATCH) break
    const notDone = await link.use('remove', (store) => store.remove(batch))
    if (notDone === undefined) return false
    const reasons = new Map(notDone.map(({ id, why }) => [id, why]))
    for (const removal of batch) {
      const { id } = removal
      if (reasons.get(id) === 'away') {
        removals.delete(id)
        awayRemovals.set(id, removal)
        continue
      }
      if (removed.has(id)) removed.set(id, reasons.get(id) === 'ended' ? 'ended-before' : 'written')
      if (removal.end !== undefined && onWritten !== undefined) ends.set(id, removal)
      rememberRemoved(id)
    }
    return true
  }

  const rememberRemoved = (id: string): void => {
    removals.delete(id)
    justRemoved.add(id)
    if (!forgetting) after(REMEMBER_REMOVED, forgetRemoved)
    forgetting = true
  }

  const forgetRemoved = (): void => {
    removedBefore = justRemoved
    justRemoved = new Set()
    forgetting = removedBefore.size > 0
    if (forgetting) after(REMEMBER_REMOVED, forgetRemoved)
  }

  const markNow = async (): Promise<boolean> => {
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
    while (removals.size + marks.size + changes.size > 0) {
      while (removals.size > 0) if (!(await removeNow())) return
      if (marks.size > 0 && !(await markNow())) return
      if (changes.size === 0) continue
      const batch: Kept[] = []
      for (const kept of changes.values()) if (batch.push(kept) === BATCH) break
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
      putBackAway()
    })
    await flushing
  }

  /** Later, so that the other parts of the store do not wait for it. */
  const putBackAway = (): void => {
    if (isAwayWaiting || awayChanges.size + awayRemovals.size === 0) return
    isAwayWaiting = true
    after(TRY_AGAIN, () => {
      isAwayWaiting = false
      for (const [id, removal] of awayRemovals) removals.set(id, removal)
      for (const [id, kept] of awayChanges) if (!isRemoved(id) && !changes.has(id)) addChange(kept)
      awayChanges.clear()
      awayRemovals.clear()
      void flush()
    })
  }

  return {
    changed(kept, isUrgent = false) {
      if (isRemoved(kept.session.id)) return
      addChange(kept)
      if (isUrgent) void flush()
      else if (cancelTimer === undefined && link.state().usable)
        cancelTimer = after(EVERY, () => void flush())
    },
    async remove(removal) {
      changes.delete(removal.id)
      forgetSilent(removal)
      removals.set(removal.id, removal)
      const [oldest] = removals.keys()
      if (removals.size > MOST_REMOVALS && oldest !== undefined) removals.delete(oldest)
      removed.set(removal.id, 'waiting')
      await flush()
      const outcome = removed.get(removal.id) ?? 'waiting'
      removed.delete(removal.id)
      return outcome
    },
    removedElsewhere(id) {
      changes.delete(id)
      rememberRemoved(id)
    },
    async mark(mark) {
      marks.add(mark)
      await flush()
      return !marks.has(mark)
    },
    unwritten: ({ id, viewer }) => changes.get(id) ?? silent.get(viewer)?.get(id),
    silentOf: (viewer) => silent.get(viewer)?.values() ?? [],
    isRemoved,
    tellEndsAgain() {
      for (const [id, removal] of ends.entries()) removals.set(id, removal)
    },
    flush,
    waiting: () => changes.size + removals.size + marks.size + awayChanges.size + awayRemovals.size,
  }
}
