import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRecordFormat } from '../record-format.ts'
import { type RecordStore, StoreError } from '../record-store.ts'
import { createSeal } from '../seal.ts'
import type { UserTexts } from '../user-texts.ts'
import { createBoundedEngine, type Deadlines, defaultDeadlines } from './bounded-engine.ts'
import { createCalls } from './calls.ts'
import { createClosedTables } from './closed-tables.ts'
import { CLOCK } from './commit.ts'
import { createLevelEngine, type Engine } from './level-engine.ts'
import { createRecords, type Records } from './level-records.ts'
import { storeErrorOf } from './level-trouble.ts'
import { createStoreFolder } from './store-folder.ts'
import { type ClockSources, createStoreTime, readSavedTime, type StoreTime } from './store-time.ts'
import { isDamagedTable } from './table-checksums.ts'

export interface LevelStoreOptions {
  /** Its parent must exist. */
  readonly folder: string
  /** The first one seals, all open. None: who may read the folder can read what is kept. */
  readonly secrets: readonly string[]
  /** What records are judged under. Records of another configuration are unknown. */
  readonly configuration: string
  readonly clocks: ClockSources
  /** Calls `act` after so many milliseconds; the result cancels it. */
  startTimer(milliseconds: number, act: () => void): () => void
  readonly deadlines?: Deadlines
  readonly createEngine?: (location: string) => Promise<Engine>
}

/** The records of this machine, and the texts of its users. */
export interface LevelStore extends RecordStore {
  readonly users: Pick<UserTexts, 'read' | 'write'>
}

/**
 * The store of one machine: LevelDB in a folder of its own, for one process. From `open` on, all files that
 * this process creates are readable by its user alone, since LevelDB creates files whenever it likes.
 */
export function createLevelStore(options: LevelStoreOptions): LevelStore {
  const { clocks, deadlines = defaultDeadlines, createEngine = createLevelEngine } = options
  const folder = createStoreFolder(options.folder, clocks.wall)
  const format = createRecordFormat(createSeal(options.secrets), options.configuration)
  let time = createStoreTime(clocks, undefined)
  let engine: Engine | undefined
  let records: Records | undefined
  /** Why it must be opened again. */
  let broken: StoreError | undefined
  let isDamaged = false

  const trouble = (error: unknown): StoreError => {
    const known = storeErrorOf(error, folder.path)
    if (known.trouble !== 'timeout') broken ??= known
    if (known.trouble === 'damaged') isDamaged = true
    return known
  }
  const closedTables = createClosedTables(folder.sessions)
  const calls = createCalls({ folder: folder.path, startTimer: options.startTimer, onLateError: trouble })

  const use = async <Result>(act: (records: Records) => Promise<Result>): Promise<Result> => {
    if (broken !== undefined) throw broken
    if (records === undefined) throw new StoreError('failed', `the store ${folder.path} is not open; open it`)
    const open = records
    try {
      return await act(open)
    } catch (error) {
      // What an engine says that was closed meanwhile is nothing against the next one.
      throw open === records ? trouble(error) : storeErrorOf(error, folder.path)
    }
  }

  const close = async (): Promise<void> => {
    const open = engine
    engine = undefined
    records = undefined
    if (open === undefined) return
    try {
      await open.close()
      if (broken === undefined && !isDamaged) await closedTables.keep()
    } catch {
      // What is not closed in time is closed late, and its tables are looked at again.
    }
  }

  /** Tables are mapped into memory, where damage could end this process. So it is looked for before. */
  const checkTables = async (tables: readonly string[]): Promise<void> => {
    const whole = await calls.make(deadlines.open, () => closedTables.take())
    for (const path of tables) {
      if (whole.has(path)) continue
      const table = await calls.make(deadlines.open, () => readFile(path))
      if (isDamagedTable(table)) throw new StoreError('damaged', `${path} is damaged`)
    }
  }

  const setAside = async (): Promise<void> => {
    await calls.make(deadlines.open, () => folder.prepareGuard())
    const guard = createBoundedEngine(await createEngine(folder.guard), calls, deadlines)
    await guard.open()
    try {
      await calls.make(deadlines.open, () => folder.setAside())
    } finally {
      await guard.close().catch(() => undefined)
    }
    await calls.make(deadlines.open, () => folder.removeGuard())
  }

  /** @returns the time that is kept in it */
  const openEngine = async (): Promise<StoreTime> => {
    const opened = createBoundedEngine(await createEngine(folder.sessions), calls, deadlines)
    await opened.open()
    engine = opened
    const log = await calls.make(deadlines.open, () => readFile(join(folder.sessions, 'LOG'), 'utf8'))
    // LevelDB passes over what it cannot read of its log, and with it over removals.
    if (/: dropping \d+ bytes/.test(log))
      throw new StoreError('damaged', `the log of the store ${folder.path} cannot be read`)
    const [saved] = await opened.getMany([CLOCK])
    if (saved === undefined) return createStoreTime(clocks, undefined)
    const read = readSavedTime(saved.toString())
    if (read === undefined)
      throw new StoreError('damaged', `the time of the store ${folder.path} cannot be read`)
    return createStoreTime(clocks, read)
  }

  const openAnew = async (): Promise<string | undefined> => {
    process.umask(0o077)
    try {
      const tables = await calls.make(deadlines.open, () => folder.prepare())
      if (isDamaged) throw new StoreError('damaged', `the store ${folder.path} cannot be read`)
      await checkTables(tables)
      time = await openEngine()
      return undefined
    } catch (error) {
      const why = storeErrorOf(error, folder.path)
      if (why.trouble !== 'damaged') throw why
      await close()
      await setAside()
      isDamaged = false
      time = await openEngine()
      return `the store ${folder.path} could not be read: it was put aside as ${folder.damaged}, and a fresh one begun`
    }
  }

  return {
    async open() {
      await close()
      broken = undefined
      try {
        const said = await openAnew()
        await calls.make(deadlines.open, () => folder.tidy())
        records = createRecords(engine as Engine, time, format)
        return said
      } catch (error) {
        await close()
        throw trouble(error)
      }
    },
    users: {
      read: (user) => use((open) => open.users.read(user)),
      write: (...change) => use((open) => open.users.write(...change)),
    },
    recall: (viewer) => use((open) => open.recall(viewer)),
    write: (writes) => use((open) => open.write(writes)),
    remove: (removals) => use((open) => open.remove(removals)),
    mark: (mark) => use((open) => open.mark(mark)),
    marks: () => use((open) => open.marks()),
    slice: (from, most) =>
      use(async (open) => {
        if (from === undefined) await calls.make(deadlines.write, () => folder.tidy())
        return open.slice(from, most)
      }),
    close,
    now: () => time.now(),
  }
}
