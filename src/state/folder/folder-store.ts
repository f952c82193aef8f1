import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Keys } from '../keys.ts'
import { createLane, type Lane } from '../lane.ts'
import { StoreError } from '../store-engine.ts'
import { createClosedTables } from './closed-tables.ts'
import type { FolderEngineOptions } from './folder-engine.ts'
import { isMark, unwrap, wrap } from './folder-values.ts'
import { createCalls, diskErrorOf, type Level, loadLevel, type Step } from './level.ts'
import { createStoreFolder } from './store-folder.ts'
import { isDamagedTable } from './table-checksums.ts'

/** LevelDB in a folder that is opened, found damaged, set aside, and closed. */
export interface FolderStore {
  open(): Promise<string | undefined>
  close(): Promise<void>
  /** Milliseconds since 1970: the wall clock, which never goes back here. */
  now(): number
  /** The wall clock was set back since the last process wrote: how much time has passed is not known. */
  areAgesUnknown(): boolean
  get(key: string): Promise<Buffer | undefined>
  getMany(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  /** All or none; undefined removes. @param isSync whether it is on the disk when it resolves */
  put(steps: readonly (readonly [key: string, value: Buffer | undefined])[], isSync: boolean): Promise<void>
  /** What reads and writes, one after the other. */
  readonly change: Lane
  read(from: string, most: number): Promise<readonly (readonly [key: string, value: Buffer])[]>
  compact(): Promise<void>
  /** Bytes on the disk. */
  measure(): Promise<number>
}

type Values = ReadonlyMap<string, Buffer | undefined>

const NEVER = Number.MAX_SAFE_INTEGER
/** A disk that is full, and of it or of STATE_MAX this part is ours, is full of what is ours. */
const OURS = 1 / 3
/** A wall clock that went back by more says nothing of the time that has passed; milliseconds. */
const STEPPED = 60_000

/**
 * From `open` on, all files that this process creates are readable by its user alone, since LevelDB creates
 * files whenever it likes.
 */
export function createFolderStore(options: FolderEngineOptions, keys: Keys): FolderStore {
  const { clock, wall, deadlines, max, load = loadLevel } = options
  const folder = createStoreFolder(options.folder, wall)
  const closedTables = createClosedTables(folder.sessions)
  const clockKey = `${keys.counter}:clock`
  let level: Level | undefined
  /** Why it must be opened again. */
  let broken: StoreError | undefined
  let isDamaged = false
  let areAgesUnknown = false
  /** From the monotonic clock to the time of the store. */
  let offset = wall() - clock()
  const now = (): number => Math.floor(clock() + offset)

  const trouble = (error: unknown): StoreError => {
    const known = diskErrorOf(error, folder.path)
    if (known.trouble !== 'timeout') broken ??= known
    if (known.trouble === 'damaged') isDamaged = true
    return known
  }
  const calls = createCalls({ folder: folder.path, after: options.after, onLateError: trouble })
  const inTime = <Result>(act: () => Promise<Result>): Promise<Result> => calls.make(deadlines.open, act)

  const use = async <Result>(deadline: number, act: (level: Level) => Promise<Result>): Promise<Result> => {
    if (broken !== undefined) throw broken
    const open = level
    if (open === undefined) throw new StoreError('failed', `the store ${folder.path} is not open; open it`)
    try {
      return await calls.make(deadline, () => act(open))
    } catch (error) {
      // What an engine says that was closed meanwhile is nothing against the next one.
      throw open === level ? trouble(error) : diskErrorOf(error, folder.path)
    }
  }

  const reading = createLane()
  let waiting: { readonly keys: Set<string>; readonly values: Promise<Values> } | undefined

  /** What is asked for while one look is under way is looked up together: a hung disk keeps one thread. */
  const look = (wanted: readonly string[]): Promise<Values> => {
    if (waiting === undefined) {
      const all = new Set<string>()
      const values = reading(async () => {
        waiting = undefined
        const list = [...all]
        const found = await use(deadlines.read, (open) => open.getMany(list))
        return new Map(list.map((key, at) => [key, found[at]]))
      })
      waiting = { keys: all, values }
    }
    for (const key of wanted) waiting.keys.add(key)
    return waiting.values
  }

  const close = async (): Promise<void> => {
    const open = level
    level = undefined
    if (open === undefined) return
    try {
      await calls.makeAnyway(deadlines.open, () => open.close())
      if (broken === undefined && !isDamaged) await closedTables.keep()
    } catch {
      // What is not closed in time is closed late, and its tables are looked at again.
    }
  }

  const openLevel = async (location: string): Promise<Level> => {
    const loaded = await load(location)
    let isGivenUp = false
    try {
      await inTime(async () => {
        await loaded.open()
        // Nobody uses it any more, and it would hold the lock.
        if (isGivenUp) await loaded.close()
      })
    } catch (error) {
      isGivenUp = true
      throw error
    }
    return loaded
  }

  /** Tables are mapped into memory, where damage could end this process. So it is looked for before. */
  const checkTables = async (tables: readonly string[]): Promise<void> => {
    const whole = await inTime(closedTables.take)
    for (const path of tables) {
      if (whole.has(path)) continue
      const table = await inTime(() => readFile(path))
      if (isDamagedTable(table)) throw new StoreError('damaged', `${path} is damaged`)
    }
  }

  /** Whoever has opened the guard, which has the lock of the store, may put the store aside. */
  const setAside = async (): Promise<void> => {
    await inTime(folder.prepareGuard)
    const guard = await openLevel(folder.guard)
    try {
      await inTime(folder.setAside)
    } finally {
      await calls.makeAnyway(deadlines.open, () => guard.close()).catch(() => undefined)
    }
    await inTime(folder.removeGuard)
  }

  const openSessions = async (): Promise<void> => {
    const opened = await openLevel(folder.sessions)
    level = opened
    const log = await inTime(() => readFile(join(folder.sessions, 'LOG'), 'utf8'))
    // LevelDB passes over what it cannot read of its log, and with it over ends.
    if (/: dropping \d+ bytes/.test(log))
      throw new StoreError('damaged', `the log of the store ${folder.path} cannot be read`)
    const [saved] = await inTime(() => opened.getMany([clockKey]))
    const last = unwrap(saved, 0)
    const passed = last === undefined ? 0 : wall() - last.readDoubleBE(8)
    areAgesUnknown = passed < -STEPPED
    // A clock that was set back makes no age shorter.
    offset = (last === undefined ? wall() : last.readDoubleBE(0) + Math.max(0, passed)) - clock()
  }

  /** What must not be forgotten, of a store that has no room for anything. */
  const freshen = async (): Promise<void> => {
    const kept: Step[] = []
    for (let from = ''; ; ) {
      const pairs = await use(deadlines.write, (open) => open.read(from, 1_000))
      for (const [key, value] of pairs)
        if (isMark(key, unwrap(value, now()))) kept.push({ key, value: Buffer.from(value) })
      const last = pairs.at(-1)?.[0]
      if (last === undefined) break
      from = `${last}\0`
    }
    await close()
    await inTime(() => rm(folder.sessions, { recursive: true, force: true }))
    await openSessions()
    await use(deadlines.write, (open) => open.batch(kept, true))
  }

  /** Whether it is full of what is ours, and not of what others have written. */
  const fillsDisk = async (): Promise<boolean> =>
    (await folder.measure()) >= OURS * Math.min(max, await folder.capacity())

  /** @returns a sentence, where it began anew */
  const openAnew = async (wasFull: boolean): Promise<string | undefined> => {
    process.umask(0o077)
    try {
      const tables = await inTime(folder.prepare)
      if (isDamaged) throw new StoreError('damaged', `the store ${folder.path} cannot be read`)
      await checkTables(tables)
      await openSessions()
      // It would be full again with the next session.
      if (wasFull && (await fillsDisk())) return await makeRoom()
      const hasRoom = await folder.writeBallast()
      if (wasFull && !hasRoom) throw diskErrorOf(new Error('ENOSPC'), folder.path)
      return undefined
    } catch (error) {
      const why = diskErrorOf(error, folder.path)
      if (why.trouble === 'full') return await makeRoom(why)
      if (why.trouble !== 'damaged') throw why
      await close()
      await setAside()
      isDamaged = false
      await openSessions()
      return `the store ${folder.path} could not be read: it was put aside as ${folder.damaged}, and a fresh one begun`
    }
  }

  const makeRoom = async (why?: StoreError): Promise<string> => {
    await close()
    await rm(folder.damaged, { recursive: true, force: true })
    await folder.giveUpBallast()
    await openSessions()
    if (why !== undefined && !(await fillsDisk())) throw why
    await freshen()
    return `the store ${folder.path} had filled its disk: a fresh one is begun, and what was closed stays closed`
  }

  return {
    async open() {
      const wasFull = broken?.trouble === 'full'
      await close()
      broken = undefined
      try {
        const said = await openAnew(wasFull)
        await inTime(folder.tidy)
        return said
      } catch (error) {
        await close()
        throw trouble(error)
      }
    },
    close,
    now,
    areAgesUnknown: () => areAgesUnknown,
    get: async (key) => (await look([key])).get(key),
    async getMany(wanted) {
      const values = await look(wanted)
      return wanted.map((key) => values.get(key))
    },
    put(steps, isSync) {
      const time = Buffer.alloc(16)
      time.writeDoubleBE(now(), 0)
      time.writeDoubleBE(wall(), 8)
      const all = [...steps, [clockKey, wrap(time, NEVER)] as const]
      return use(deadlines.write, (open) =>
        open.batch(
          all.map(([key, value]) => (value === undefined ? { key } : { key, value })),
          isSync,
        ),
      )
    },
    change: createLane(),
    async read(from, most) {
      // The creation of an iterator waits for LevelDB's lock in this thread, so a look goes first.
      await use(deadlines.read, (open) => open.getMany([clockKey]))
      return await use(deadlines.write, (open) => open.read(from, most))
    },
    async compact() {
      await inTime(folder.tidy)
      const open = level
      // It takes as long as it takes, and nobody waits for it.
      await open?.compact().catch((error: unknown) => void trouble(error))
    },
    measure: folder.measure,
  }
}
