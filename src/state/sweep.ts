import type { Session } from '../session/session.ts'
import type { Kept, StoreClock } from './kept.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { Recall } from './recall.ts'
import type { Slice, Write } from './record-store.ts'
import { hasLeft, resumableUntil } from './silence.ts'
import type { StoreLink } from './store-link.ts'
import type { WriteBehind } from './write-behind.ts'

export interface SweepOptions {
  readonly link: Pick<StoreLink, 'use'>
  readonly written: Pick<WriteBehind, 'changed' | 'remove' | 'flush'>
  readonly known: Pick<KnownSessions, 'get'>
  readonly sessionsOf: Recall['sessionsOf']
  readonly isClosed: Recall['isClosed']
  readonly clock: StoreClock
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** STATE_MAX in bytes. */
  readonly max: number
  /**
   * Whether this gate is to walk now, of all that share the store, and for so many milliseconds. Undefined
   * where there is only one.
   */
  readonly claim?: ((forMs: number) => Promise<boolean>) | undefined
  /** A session of an earlier process has gone silent; this one never had it in its table. */
  readonly onSilent: (session: Session) => void
  /** The operator has closed a session of an earlier process whose end nobody has told. */
  readonly onClosed: (session: Session) => void
}

/** Walks through all records, in small slices. */
export interface Sweep {
  /**
   * Walks once: sessions of an earlier process that went silent are told, what is closed or nobody may resume
   * is removed, and what goes beyond STATE_MAX, the longest silent first. Never one that plays.
   */
  pass(): Promise<void>
  /** Removes all that match and that the table does not hold; undefined where not all could be seen. */
  removeAll(matches: (session: Session) => boolean): Promise<number | undefined>
  /** Starts to walk from time to time; the result stops it. */
  start(): () => void
  /** Bytes that the records took at the last pass. */
  bytes(): number
}

/** Milliseconds between two passes, and between two slices of one. */
const PASS_EVERY = 120_000
const SLICE_EVERY = 20
/** With a shared store there may be millions of records, and a slice takes its gate 5 ms. */
const SHARED_SLICE_EVERY = 100
/** A gate says again and again that it walks: after this time without a word another one may. */
const CLAIMED_FOR = 120_000
/**
 * Milliseconds beyond SESSION_IDLE until a pass tells an end: a session that this process had in its table is
 * told and written by then.
 */
const TELL_AFTER = 30_000
/** Records of one slice. */
const SLICE = 250
/** A pass removes so much more than it must, so that not every pass has to. */
const SPARE = 0.9
/** Silent sessions are put in order by whole minutes. */
const MINUTE = 60_000

/** What silent sessions take, by the minute of their last request; the left ones apart. */
interface Census {
  bytes: number
  readonly left: Map<number, number>
  readonly silent: Map<number, number>
}

/** Silent sessions whose last request was in this minute or before are too many. */
interface Bounds {
  readonly left: number
  readonly silent: number
}

const NONE: Bounds = { left: Number.NEGATIVE_INFINITY, silent: Number.NEGATIVE_INFINITY }

export function createSweep(options: SweepOptions): Sweep {
  const { link, written, known, sessionsOf, isClosed, clock, after, idle, max, onSilent, onClosed, claim } =
    options
  let bytes = 0
  let stopped = false

  async function* slices(every: number): AsyncGenerator<Slice, boolean> {
    let from: string | undefined
    do {
      const slice = await link.use('slice', (store) => store.slice(from, SLICE))
      if (slice === undefined || stopped) return false
      yield slice
      from = slice.next
      if (from !== undefined && every > 0 && !(await mayWalk())) return false
      if (from !== undefined) await new Promise<void>((resolve) => void after(every, resolve))
    } while (from !== undefined)
    return true
  }

  /** Calls `visit` with the sessions of each viewer. Resolves with whether it saw all. */
  const walk = async (
    every: number,
    visit: (sessions: readonly Kept[], each: number) => void,
  ): Promise<boolean> => {
    const walking = slices(every)
    for (;;) {
      const { done, value } = await walking.next()
      if (done === true) return value
      const each = value.bytes / Math.max(1, value.writes.length)
      for (const records of byViewer(value.writes)) visit(sessionsOf(records), each)
    }
  }

  /** Removes one for good that only the store holds. Resolves with whether that is written. */
  const close = (one: Kept): Promise<boolean> => {
    if (!one.silent) {
      // Its standing is known as long as it waits to be written.
      written.changed(one)
      onClosed(one.session)
    }
    one.removed = true
    return removeForGood(one.session)
  }

  const removeForGood = async ({ id, viewer }: Session): Promise<boolean> =>
    (await written.remove({ id, viewer, end: { why: 'closed' } })) !== 'waiting'

  /** Of all gates that share a store one walks. */
  const mayWalk = async (): Promise<boolean> =>
    claim === undefined || (await claim(CLAIMED_FOR).catch(() => false))

  const passWithin = async (bounds: Bounds): Promise<Census | undefined> => {
    const census: Census = { bytes: 0, left: new Map(), silent: new Map() }
    const isComplete = await walk(claim === undefined ? SLICE_EVERY : SHARED_SLICE_EVERY, (all, each) => {
      const now = clock.now()
      const isOver = ({ session }: Kept): boolean => known.get(session.id) === undefined && isClosed(session)
      for (const one of all) if (isOver(one)) void close(one)
      const sessions = all.filter((one) => !one.removed)
      const until = resumableUntil(sessions)
      census.bytes += sessions.length * each
      for (const one of sessions) {
        const { session } = one
        if (known.get(session.id) !== undefined) continue
        if (!one.silent && now - session.activeAt <= idle + TELL_AFTER) continue
        if (!one.silent) {
          one.silent = true
          written.changed(one)
          onSilent(session)
        }
        const kind = hasLeft(one, sessions) ? 'left' : 'silent'
        const minute = Math.floor(session.lastSeen / MINUTE)
        if (now > (until.get(one) ?? 0) || minute <= bounds[kind]) {
          census.bytes -= each
          one.removed = true
          void written.remove(session)
        } else {
          census[kind].set(minute, (census[kind].get(minute) ?? 0) + each)
        }
      }
    })
    return isComplete ? census : undefined
  }

  const pass = async (): Promise<void> => {
    if (!(await mayWalk())) return
    let census = await passWithin(NONE)
    if (census !== undefined && census.bytes > max) census = await passWithin(boundsOf(census, max * SPARE))
    if (census !== undefined) bytes = census.bytes
  }

  return {
    pass,
    async removeAll(matches) {
      await written.flush()
      const removals: Promise<boolean>[] = []
      const isComplete = await walk(0, (sessions) => {
        for (const one of sessions) {
          // At once, so that nobody adopts it meanwhile.
          if (known.get(one.session.id) === undefined && matches(one.session)) removals.push(close(one))
        }
      })
      const removed = await Promise.all(removals)
      return isComplete && removed.every(Boolean) ? removals.length : undefined
    },
    start() {
      let cancel = after(PASS_EVERY, again)
      async function again(): Promise<void> {
        await pass()
        if (!stopped) cancel = after(PASS_EVERY, again)
      }
      return () => {
        stopped = true
        cancel()
      }
    },
    bytes: () => bytes,
  }
}

/** The records of a slice, in groups of one viewer each; they lie side by side. */
function byViewer(writes: readonly Write[]): Write['record'][][] {
  const groups: Write['record'][][] = []
  for (const { record } of writes) {
    const last = groups.at(-1)
    if (last?.[0]?.viewer === record.viewer) last.push(record)
    else groups.push([record])
  }
  return groups
}

/** What must go, so that no more than `most` bytes stay: left sessions before others, the oldest first. */
function boundsOf(census: Census, most: number): Bounds {
  let surplus = census.bytes - most
  const oldestOf = (minutes: ReadonlyMap<number, number>): number => {
    let bound = Number.NEGATIVE_INFINITY
    for (const [minute, held] of [...minutes].sort(([a], [b]) => a - b)) {
      if (surplus <= 0) break
      surplus -= held
      bound = minute
    }
    return bound
  }
  return { left: oldestOf(census.left), silent: oldestOf(census.silent) }
}
