import { LRUCache } from 'lru-cache'
import type { End } from '../decision/stored.ts'
import { createChanges } from './changes.ts'
import { changeOf, expiryOf, type Kept } from './kept.ts'
import { type CloseMark, KEEP_MARK } from './marks.ts'
import { type EndRecord, readEndRecord } from './record.ts'
import { type ChangeOutcome, MOST_OF_RECORD, type SessionChange } from './store-engine.ts'
import type { StoreLink } from './store-link.ts'
import { createUnwrittenMarks, type UnwrittenMarksOptions } from './unwritten-marks.ts'

/** A session whose record is to go. */
export interface Removal {
  readonly viewer: string
  readonly id: string
  /** It has ended for good: nobody brings it back. Undefined: nobody needs its record any more. */
  readonly end?: End | undefined
}

interface WriteBehindOptions extends UnwrittenMarksOptions {
  readonly link: Pick<StoreLink, 'use' | 'state' | 'number' | 'warn'>
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** What became of a session that was told, as silent or not. `end`: it had ended before. */
  readonly onTold: (kept: Kept, asSilent: boolean, outcome: ChangeOutcome['kind'], end?: End) => void
  /** A batch of sessions is written: the marks of their users are to be looked at. */
  readonly onReported: (batch: readonly Kept[]) => void
  /** A session has ended for good in the store; another gate has told of it last. */
  readonly onEndWritten: (removal: Removal, gate: string | undefined) => void
}

/**
 * Tells the store what has changed: openings and grants in batches, ends at once. What cannot be written
 * waits here, and is written when the store is back.
 */
export interface WriteBehind {
  /** The session has changed; it is written within `EVERY`, or at once. */
  changed(kept: Kept, isUrgent?: boolean): void
  /** Removes a session for good. Resolves with whether that is written; else it is tried again. */
  remove(removal: Removal): Promise<boolean>
  /** Another gate has ended it. */
  removedElsewhere(session: Removal): void
  /** Writes a mark. Resolves with whether that is done; else it is tried again. @throws {TooManyMarks} */
  mark(mark: CloseMark): Promise<boolean>
  /** A session that is not written yet in its present state. */
  unwritten(session: Pick<Removal, 'id' | 'viewer'>): Kept | undefined
  /** Silent sessions of a viewer that are not written yet. */
  silentOf(viewer: string): Iterable<Kept>
  /** Whether this session has ended, or is to go. */
  isRemoved(id: string): boolean
  /** The store has forgotten everything: marks and ends are told again, before sessions. */
  tellAgain(): void
  /** Writes what there is, and resolves when that is done, or has failed. */
  flush(): Promise<void>
  /** What waits to be written. */
  waiting(): number
  /** Records that were too large to be written. */
  tooLarge(): number
}

/** Milliseconds from a change until it is written. */
const EVERY = 100
/** Most sessions of one batch: no hit is answered while they are encoded. */
const BATCH = 250
/** What one server has not taken is tried again after so many milliseconds. */
const TRY_AGAIN = 1_000
/** Most ends that are remembered, and that wait. */
const MOST_ENDS = 100_000

export function createWriteBehind(options: WriteBehindOptions): WriteBehind {
  const { link, keys, vault, clock, idle, after } = options
  const marks = createUnwrittenMarks(options)
  const changes = createChanges()
  const removals = new Map<string, Removal>()
  const gone = new LRUCache<string, Removal>({
    ...{ max: MOST_ENDS, ttl: KEEP_MARK },
    perf: { now: clock.now },
  })
  let tooLarge = 0
  let cancelTimer: (() => void) | undefined
  let flushing: Promise<void> | undefined
  let isWaiting = false
  let underWay = 0

  const write = async (batch: readonly Kept[]): Promise<boolean> => {
    const told: Kept[] = []
    const writes: SessionChange[] = []
    for (const kept of batch) {
      const change = changeOf(kept, vault, clock, idle)
      if (change.value.length > MOST_OF_RECORD) tooLarge++
      else if (told.push(kept)) writes.push(change)
    }
    // First, so that a crash leaves no session without its ways.
    await tellCookies(told)
    const outcomes = await link.use('write', (engine) => engine.write(writes))
    if (outcomes === undefined) {
      putBack(batch)
      return false
    }
    for (const [at, kept] of told.entries()) {
      const outcome = outcomes[at] ?? { kind: 'written' }
      const { session } = kept
      const asSilent = writes[at]?.state !== 'playing'
      if (outcome.kind === 'failed') {
        link.warn(outcome.error)
        // Where it is full, it is told again with the next report.
        if (outcome.error.trouble !== 'full') {
          putBack([kept])
          tryAgain()
          continue
        }
      }
      changes.written(session)
      const end = outcome.kind === 'ended' ? endOf(session, outcome.end) : undefined
      options.onTold(kept, asSilent, outcome.kind, end?.ended)
    }
    options.onReported(told)
    return true
  }

  const endOf = ({ viewer, id }: Kept['session'], value: Buffer): EndRecord | undefined => {
    const text = vault.open(value, keys.session(vault.viewer(viewer), id))
    return text === undefined ? undefined : readEndRecord(text)
  }

  const tellCookies = async (told: readonly Kept[]): Promise<void> => {
    const ways = told.flatMap((kept) => {
      const { secret, viewer } = kept.session
      if (secret === undefined || kept.silent) return []
      const keepFor = Math.max(1_000, expiryOf(kept, idle) - clock.now())
      return secret.cookies.map((cookie) => [vault.cookie(cookie), vault.viewer(viewer), keepFor] as const)
    })
    if (ways.length === 0) return
    await link.use('write', async (engine) => {
      await Promise.all(ways.map((way) => engine.addCookie(...way)))
    })
  }

  const putBack = (all: readonly Kept[]): void => {
    for (const kept of all) {
      const { id } = kept.session
      if (!removals.has(id) && !changes.has(id)) changes.add(kept)
    }
  }

  const remove = async (batch: readonly Removal[]): Promise<boolean> => {
    const endings = batch.filter(({ end }) => end !== undefined)
    const others = batch.filter(({ end }) => end === undefined)
    const done = await link.use('end', async (engine) => {
      const nameOf = ({ viewer, id }: Removal) => ({ viewer: vault.viewer(viewer), id })
      if (others.length > 0) await engine.drop(others.map(nameOf))
      return await engine.end(
        endings.map((one) => ({
          ...nameOf(one),
          value: vault.end(one.viewer, one.id, one.end as End, link.number()),
          keepFor: KEEP_MARK,
        })),
      )
    })
    if (done === undefined) return false
    for (const one of others) settle(one)
    for (const [at, one] of endings.entries()) {
      const outcome = done[at]
      if (outcome?.kind !== 'written') {
        tryAgain()
        continue
      }
      settle(one)
      options.onEndWritten(one, outcome.gate)
    }
    return endings.every((_one, at) => done[at]?.kind === 'written')
  }

  const settle = (removal: Removal): void => {
    if (removals.get(removal.id) === removal) removals.delete(removal.id)
    gone.set(removal.id, removal)
  }

  /** One command at a time, so that an end never overtakes the record that it ends. */
  const flushAll = async (): Promise<void> => {
    for (;;) {
      if (marks.size() > 0 && !(await marks.write())) return
      const ended: Removal[] = []
      for (const removal of removals.values()) if (ended.push(removal) === BATCH) break
      if (ended.length > 0) {
        if (!(await remove(ended))) return
        continue
      }
      const batch = changes.take(BATCH)
      if (batch.length === 0) return
      underWay = batch.length
      const isWritten = await write(batch).finally(() => {
        underWay = 0
      })
      if (!isWritten || isWaiting) return
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
    })
    await flushing
  }

  /** Later, so that the other servers do not wait for the one that failed. */
  const tryAgain = (): void => {
    if (isWaiting) return
    isWaiting = true
    after(TRY_AGAIN, () => {
      isWaiting = false
      void flush()
    })
  }

  return {
    changed(kept, isUrgent = false) {
      const { id } = kept.session
      if (removals.has(id) || gone.get(id)?.end !== undefined) return
      changes.add(kept)
      if (isUrgent) void flush()
      else if (cancelTimer === undefined && link.state().usable)
        cancelTimer = after(EVERY, () => void flush())
    },
    async remove(removal) {
      changes.delete(removal)
      removals.set(removal.id, removal)
      const [oldest] = removals.keys()
      if (removals.size > MOST_ENDS && oldest !== undefined) removals.delete(oldest)
      await flush()
      return !removals.has(removal.id)
    },
    removedElsewhere(session) {
      changes.delete(session)
      removals.delete(session.id)
      gone.set(session.id, session)
    },
    async mark(mark) {
      marks.add(mark)
      await flush()
      return !marks.has(mark)
    },
    unwritten: changes.get,
    silentOf: changes.silentOf,
    isRemoved: (id) => removals.has(id) || gone.has(id),
    tellAgain() {
      marks.addAll()
      for (const [id, removal] of gone.entries()) if (removal.end !== undefined) removals.set(id, removal)
    },
    flush,
    waiting: () => changes.size() + underWay + removals.size + marks.size(),
    tooLarge: () => tooLarge,
  }
}
