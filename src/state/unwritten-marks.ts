import type { StoreClock } from './kept.ts'
import { type CloseMark, isOfUser, KEEP_MARK, type Marks, MOST_WIDE, readWide } from './marks.ts'
import type { StoreEngine } from './store-engine.ts'
import type { StoreLink } from './store-link.ts'
import type { Vault } from './vault.ts'

export interface UnwrittenMarksOptions {
  readonly link: Pick<StoreLink, 'use'>
  readonly keys: StoreEngine['keys']
  readonly vault: Vault
  readonly marks: Marks
  readonly clock: StoreClock
  /** A mark is in the store, for the first time. */
  readonly onMarked: (mark: CloseMark) => void
}

/** Marks that the store does not have yet. */
interface UnwrittenMarks {
  /** Knows it from now on. @throws {TooManyMarks} */
  add(mark: CloseMark): void
  has(mark: CloseMark): boolean
  size(): number
  /** The store has forgotten them: all that this gate knows are to be written. */
  addAll(): void
  /** Resolves with whether all are written. */
  write(): Promise<boolean>
}

/** There are so many wide marks that no other one fits. */
export class TooManyMarks extends Error {
  override readonly name = 'TooManyMarks'
  override readonly message = 'too many filters; close by user or all'
}

/** How often wide marks are tried while other gates write theirs. */
const MOST_TRIES = 16

export function createUnwrittenMarks(options: UnwrittenMarksOptions): UnwrittenMarks {
  const { link, keys, vault, marks, clock } = options
  const unwritten = new Set<CloseMark>()
  /** Those of them that no other gate has heard of. */
  const unheard = new Set<CloseMark>()

  const markUser = async (engine: StoreEngine, { filter, number }: CloseMark): Promise<void> => {
    const name = vault.user(filter.user ?? '')
    const value = vault.seal(String(number), keys.userMark(name))
    await engine.markUser(name, number, value, KEEP_MARK)
  }

  /** They are one value, which all gates change: all that this gate knows, and those that are there. */
  const markWide = async (engine: StoreEngine): Promise<void> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const there = await engine.wide()
      const text = there && vault.open(there.value, keys.wide)
      for (const one of (text && readWide(text)) || []) marks.add(one, one.until - clock.offset)
      const all = marks
        .wide()
        .map((one) => ({ ...one, until: one.until + clock.offset }))
        .slice(-MOST_WIDE)
      const value = vault.seal(JSON.stringify(all), keys.wide)
      if (await engine.replaceWide(there?.version ?? 0, value, KEEP_MARK)) return
    }
  }

  return {
    add(mark) {
      const { filter } = mark
      const wide = marks.wide()
      const isKnown = wide.some((one) => JSON.stringify(one.filter) === JSON.stringify(filter))
      const isAll = Object.keys(filter).length === 0
      if (!isOfUser(filter) && !isAll && !isKnown && wide.length >= MOST_WIDE) throw new TooManyMarks()
      marks.add(mark)
      unwritten.add(mark)
      unheard.add(mark)
    },
    has: (mark) => unwritten.has(mark),
    size: () => unwritten.size,
    addAll() {
      // Each wide one is written with all of them.
      for (const mark of [...marks.wide().slice(-1), ...marks.ofUsers()]) unwritten.add(mark)
    },
    async write() {
      for (const mark of unwritten) {
        const done = await link.use('mark', async (engine) => {
          await (isOfUser(mark.filter) ? markUser(engine, mark) : markWide(engine))
          return true
        })
        if (done !== true) return false
        unwritten.delete(mark)
        if (unheard.delete(mark)) options.onMarked(mark)
      }
      return true
    },
  }
}
