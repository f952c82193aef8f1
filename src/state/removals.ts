import { LRUCache } from 'lru-cache'
import type { NotDone, Removal } from './record-store.ts'
import { AFTER_ALLOW } from './silence.ts'

/** What has become of a removal. `ended-before`: another gate has ended the session. */
export type Removed = 'written' | 'ended-before' | 'waiting'

/** Sessions that are to be removed from the store, and those that were a moment ago. */
export interface Removals {
  add(removal: Removal): void
  /** Removes one from this list whose record is gone. */
  forget(id: string): void
  /** Whether this session is to be removed, or was a moment ago: an older record may be on its way. */
  has(id: string): boolean
  /** The next that are to be written, `most` at most; none of a part of the store that is away. */
  next(most: number): readonly Removal[]
  /** They are written, but for these. */
  written(batch: readonly Removal[], notDone: readonly NotDone[]): void
  /** What has become of one, and forgets that. */
  outcomeOf(id: string): Removed
  /** How many there are whose part of the store is away. */
  away(): number
  /** They may be tried again. */
  tryAwayAgain(): void
  /** Adds all that were written with an end: the store has forgotten them. */
  repeat(): void
  waiting(): number
}

/**
 * An id is remembered for once to twice so long after its removal, in milliseconds: longer than a request may
 * wait between reading a record and taking its session.
 */
const REMEMBER_REMOVED = 60_000
/** Most that wait while the store is away. The oldest are given up. */
const MOST = 200_000
/** Most ends that are kept to be told again, for as long as a session that was not ended may be resumed. */
const MOST_ENDS = 100_000

export interface RemovalsOptions {
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Other gates share the store: it may forget what was written. */
  readonly isShared: boolean
}

export function createRemovals({ after, isShared }: RemovalsOptions): Removals {
  const waiting = new Map<string, Removal>()
  const away = new Set<string>()
  const outcomes = new Map<string, Removed>()
  const ends = new LRUCache<string, Removal>({ max: MOST_ENDS, ttl: AFTER_ALLOW })
  let justRemoved = new Set<string>()
  let removedBefore = new Set<string>()
  let forgetting = false

  const remember = (id: string): void => {
    waiting.delete(id)
    away.delete(id)
    justRemoved.add(id)
    if (!forgetting) after(REMEMBER_REMOVED, turnOver)
    forgetting = true
  }

  const turnOver = (): void => {
    removedBefore = justRemoved
    justRemoved = new Set()
    forgetting = removedBefore.size > 0
    if (forgetting) after(REMEMBER_REMOVED, turnOver)
  }

  return {
    add(removal) {
      waiting.set(removal.id, removal)
      outcomes.set(removal.id, 'waiting')
      const [oldest] = waiting.keys()
      if (waiting.size > MOST && oldest !== undefined) {
        waiting.delete(oldest)
        away.delete(oldest)
      }
    },
    forget: remember,
    has: (id) => waiting.has(id) || justRemoved.has(id) || removedBefore.has(id),
    next(most) {
      const batch: Removal[] = []
      if (waiting.size === away.size) return batch
      for (const removal of waiting.values()) if (!away.has(removal.id) && batch.push(removal) === most) break
      return batch
    },
    written(batch, notDone) {
      const reasons = new Map(notDone.map(({ id, why }) => [id, why]))
      for (const removal of batch) {
        const { id } = removal
        const why = reasons.get(id)
        if (why === 'away') {
          away.add(id)
          continue
        }
        if (outcomes.has(id)) outcomes.set(id, why === 'ended' ? 'ended-before' : 'written')
        if (isShared && removal.end !== undefined) ends.set(id, removal)
        remember(id)
      }
    },
    outcomeOf(id) {
      const outcome = outcomes.get(id) ?? 'waiting'
      outcomes.delete(id)
      return outcome
    },
    away: () => away.size,
    tryAwayAgain: () => away.clear(),
    repeat() {
      for (const [id, removal] of ends.entries()) waiting.set(id, removal)
    },
    waiting: () => waiting.size,
  }
}
