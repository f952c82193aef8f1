import { randomBytes } from 'node:crypto'
import { createKeys } from '../keys.ts'
import {
  type ChangeOutcome,
  type Deadlines,
  type EndOutcome,
  type FormerRecord,
  MOST_OF_COOKIE,
  type SessionChange,
  type StoreEngine,
  StoreError,
} from '../store-engine.ts'
import { createFolderRoom } from './folder-room.ts'
import { createFolderStore, type FolderStore } from './folder-store.ts'
import {
  END,
  identityValue,
  numbered,
  numberIn,
  RECORD,
  readFormerBundle,
  readIdentity,
  untilOf,
  unwrap,
  versionOf,
  viewersIn,
  wrap,
} from './folder-values.ts'
import type { Level } from './level.ts'
import { createViewerList, type ViewerList } from './viewer-list.ts'

export interface FolderEngineOptions {
  /** Its parent must exist. */
  readonly folder: string
  /** STATE_MAX in bytes. */
  readonly max: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Milliseconds since 1970. */
  readonly wall: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  readonly deadlines: Omit<Deadlines, 'beat'>
  /** LevelDB unless given. */
  readonly load?: (location: string) => Promise<Level>
}

type Named = Pick<SessionChange, 'viewer' | 'id'>
type Steps = Map<string, Buffer | undefined>

const NEVER = Number.MAX_SAFE_INTEGER

/** The store of one machine: LevelDB in a folder of its own, for one process. */
export function createFolderEngine(options: FolderEngineOptions): StoreEngine {
  const keys = createKeys('')
  const gate = randomBytes(16).toString('base64url')
  const store: FolderStore = createFolderStore(options, keys)
  const { now, get, getMany, change: inTurn } = store
  const room = createFolderRoom({
    ...options,
    store,
    keys,
    drop: (viewer, ids) => inTurn(() => drop(ids.map((id) => ({ viewer, id })))),
  })
  let stopLooking = (): void => {}
  let changes = 0

  const put: FolderStore['put'] = async (steps, isSync) => {
    await store.put(steps, isSync)
    room.wrote(steps.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0))
  }

  const listOf = async (viewer: string): Promise<ViewerList> =>
    createViewerList(unwrap(await get(keys.viewer(viewer)), now()))

  /**
   * Changes records of sessions and the lists of their viewers, one after the other. All are read by one call
   * and written by another, since a call into LevelDB takes longer than what it does.
   * @param act puts the value of the record into `steps`, or none, and changes the list
   */
  const changeAll = async <Item extends Named, Result>(
    items: readonly Item[],
    act: (item: Item, before: Buffer | undefined, list: ViewerList, steps: Steps, key: string) => Result,
    isSync = false,
  ): Promise<Result[]> => {
    const viewers = [...new Set(items.map(({ viewer }) => viewer))]
    const names = items.map(({ viewer, id }) => keys.session(viewer, id))
    const there = await getMany([...viewers.map(keys.viewer), ...names])
    const lists = new Map(viewers.map((viewer, at) => [viewer, createViewerList(unwrap(there[at], now()))]))
    const steps: Steps = new Map()
    const results = items.map((item, at) => {
      const key = names[at] as string
      const before = steps.has(key) ? steps.get(key) : there[viewers.length + at]
      return act(item, unwrap(before, now()), lists.get(item.viewer) as ViewerList, steps, key)
    })
    if (steps.size === 0) return results
    for (const [viewer, list] of lists) {
      for (const { id } of list.bound(now())) steps.set(keys.session(viewer, id), undefined)
      steps.set(keys.viewer(viewer), list.isEmpty() ? undefined : wrap(list.value, list.until()))
    }
    await put([...steps], isSync)
    return results
  }

  const write = (all: readonly SessionChange[]): Promise<readonly ChangeOutcome[]> =>
    changeAll(all, (change, before, list, steps, key): ChangeOutcome => {
      if (before?.[0] === END) return { kind: 'ended', end: before.subarray(1) }
      const until = now() + change.keepFor
      const value = wrap(Buffer.concat([Buffer.of(RECORD), change.value]), until)
      const isNew = list.get(change.id) === undefined
      if (isNew && change.state === 'playing' && room.isFull()) return { kind: 'failed', error: full }
      changes = (changes + 1) >>> 0
      const bytes = key.length + value.length
      list.put({ ...change, ...{ change: changes, bytes, at: now(), until } })
      steps.set(key, value)
      return { kind: 'written' }
    })

  const end = (endings: Parameters<StoreEngine['end']>[0]): Promise<readonly EndOutcome[]> =>
    changeAll(
      endings,
      ({ id, value, keepFor }, before, list, steps, key): EndOutcome => {
        if (before?.[0] === END) return { kind: 'written', gate: undefined, before: before.subarray(1) }
        steps.set(key, wrap(Buffer.concat([Buffer.of(END), value]), now() + keepFor))
        return { kind: 'written', gate: list.remove(id) && gate }
      },
      true,
    )

  const drop = async (sessions: readonly Named[]): Promise<void> => {
    await changeAll(sessions, ({ id }, before, list, steps, key) => {
      list.remove(id)
      if (before?.[0] !== END) steps.set(key, undefined)
    })
  }

  const full = new StoreError(
    'full',
    `the store ${options.folder} has reached STATE_MAX: new sessions are not written; raise it`,
  )

  return {
    ...{ keys, gate, isShared: false, isParted: false },
    async open() {
      stopLooking()
      const said = await store.open()
      stopLooking = room.start()
      return said
    },
    async close() {
      stopLooking()
      await store.close()
    },
    bytes: room.bytes,

    async identify(candidate) {
      return await inTurn(async () => {
        const there = readIdentity(unwrap(await get(keys.identity), now()))
        if (there !== undefined) return there
        await put([[keys.identity, wrap(identityValue(candidate), NEVER)]], true)
        return candidate
      })
    },
    sealAnew: (before, key) =>
      inTurn(async () => {
        const there = readIdentity(unwrap(await get(keys.identity), now()))
        if (there === undefined || !there.key.equals(before.key)) return
        await put([[keys.identity, wrap(identityValue({ name: before.name, key }), NEVER)]], true)
      }),

    async beat({ number }) {
      const [identity, counter, wide] = await getMany([keys.identity, keys.counter, keys.wide])
      const there = numberIn(unwrap(counter, now()))
      if (number > there) await inTurn(() => putCounter(number, false))
      return {
        store: readIdentity(unwrap(identity, now()))?.name,
        number: Math.max(there, number),
        time: now(),
        wide: versionOf(unwrap(wide, now())),
        ...{ letters: [], cut: false, areAgesUnknown: store.areAgesUnknown() },
      }
    },
    roster: async () => [],
    goodbye: async () => {},
    post: async () => [],
    nextNumber: (known) =>
      inTurn(async () => {
        const next = Math.max(numberIn(unwrap(await get(keys.counter), now())), known) + 1
        await putCounter(next, true)
        return next
      }),

    list: async (viewer) =>
      (await listOf(viewer))
        .all()
        .flatMap(({ id, change, state, until }) => (until > now() ? [{ id, change, state }] : [])),
    async read(viewer, ids) {
      const values = await getMany(ids.map((id) => keys.session(viewer, id)))
      return values.map((value) => unwrap(value, now())?.subarray(1))
    },
    write: (all) => inTurn(() => write(all)),
    end: (endings) => inTurn(() => end(endings)),
    drop: (sessions) => inTurn(() => drop(sessions)),

    addCookie: (cookie, viewer, keepFor) =>
      inTurn(async () => {
        const there = await get(keys.cookie(cookie))
        const known = viewersIn(unwrap(there, now()))
        const until = Math.max(untilOf(there) ?? 0, now() + keepFor)
        const viewers = [...known.filter((one) => one !== viewer), viewer].slice(-MOST_OF_COOKIE)
        await put([[keys.cookie(cookie), wrap(Buffer.from(viewers.join(' ')), until)]], false)
      }),
    viewersOf: async (cookie) => viewersIn(unwrap(await get(keys.cookie(cookie)), now())),

    readUser: async (user) => unwrap(await get(keys.user(user)), now()),
    replaceUser: (user, before, value, keepFor) =>
      inTurn(async () => {
        const there = unwrap(await get(keys.user(user)), now())
        if (there === undefined ? before !== undefined : before === undefined || !there.equals(before))
          return false
        await put([[keys.user(user), wrap(value, now() + keepFor)]], false)
        return true
      }),

    markUser: (user, number, value, keepFor) =>
      inTurn(async () => {
        const key = keys.userMark(user)
        const there = unwrap(await get(key), now())
        if (there !== undefined && there.readDoubleBE(0) >= number) return
        await put([[key, wrap(numbered(number, value), now() + keepFor)]], true)
      }),
    async marksOf(users) {
      const values = await getMany(users.map((user) => keys.userMark(user)))
      return values.map((value) => unwrap(value, now())?.subarray(8))
    },
    async wide() {
      const there = await get(keys.wide)
      // Without it a closed session could come back.
      if (there !== undefined && untilOf(there) === undefined)
        throw new StoreError('damaged', 'the marks of closed sessions cannot be read')
      const value = unwrap(there, now())
      return value && { version: versionOf(value), value: value.subarray(8) }
    },
    replaceWide: (before, value, keepFor) =>
      inTurn(async () => {
        if (versionOf(unwrap(await get(keys.wide), now())) !== before) return false
        const next = before === 0 ? now() : before + 1
        await put([[keys.wide, wrap(numbered(next, value), now() + keepFor)]], true)
        return true
      }),

    async former(place) {
      const key = place === 'marks' ? '!marks' : place
      const entries = readFormerBundle((await get(key)) ?? Buffer.alloc(0))
      return entries.flatMap(({ id, until, payload }): FormerRecord[] =>
        until > now() ? [{ id, payload }] : [],
      )
    },
  }

  async function putCounter(number: number, isSync: boolean): Promise<void> {
    await put([[keys.counter, wrap(numbered(number, Buffer.alloc(0)), NEVER)]], isSync)
  }
}
