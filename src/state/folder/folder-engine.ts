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
import { createViewerList, perViewer, type ViewerList } from './viewer-list.ts'

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
    drop: (viewer, ids) => drop(ids.map((id) => ({ viewer, id }))),
  })
  let stopLooking = (): void => {}
  let changes = 0

  const put: FolderStore['put'] = async (steps, isSync) => {
    await store.put(steps, isSync)
    room.wrote(steps.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0))
  }

  const listOf = async (viewer: string): Promise<ViewerList> =>
    createViewerList(unwrap(await get(keys.viewer(viewer)), now()))

  /** Puts the list of a viewer, or removes it where it is empty. */
  const stepOf = (viewer: string, list: ViewerList): [key: string, value: Buffer | undefined] => [
    keys.viewer(viewer),
    list.isEmpty() ? undefined : wrap(list.value, list.until()),
  ]

  /** The changes of one viewer, one after the other. */
  const writeViewer = async (viewer: string, all: readonly SessionChange[]): Promise<ChangeOutcome[]> => {
    const sessions = all.map(({ id }) => keys.session(viewer, id))
    const [listed, ...there] = await getMany([keys.viewer(viewer), ...sessions])
    const list = createViewerList(unwrap(listed, now()))
    const steps = new Map<string, Buffer | undefined>()
    const outcomes = all.map((change, at): ChangeOutcome => {
      const before = unwrap(there[at], now())
      if (before?.[0] === END) return { kind: 'ended', end: before.subarray(1) }
      const key = sessions[at] as string
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
    for (const { id } of list.bound(now())) steps.set(keys.session(viewer, id), undefined)
    if (steps.size > 0) await put([...steps, stepOf(viewer, list)], false)
    return outcomes
  }

  const endOne = async ({ viewer, id }: Named, value: Buffer, keepFor: number): Promise<EndOutcome> => {
    const key = keys.session(viewer, id)
    const before = unwrap(await get(key), now())
    if (before?.[0] === END) return { kind: 'written', gate: undefined, before: before.subarray(1) }
    const list = await listOf(viewer)
    const entry = list.remove(id)
    const end = wrap(Buffer.concat([Buffer.of(END), value]), now() + keepFor)
    await put([[key, end], stepOf(viewer, list)], false)
    return { kind: 'written', gate: entry && gate }
  }

  const drop: StoreEngine['drop'] = (sessions) =>
    inTurn(async () => {
      await perViewer(sessions, async (viewer, own) => {
        const names = own.map(({ id }) => keys.session(viewer, id))
        const [listed, ...there] = await getMany([keys.viewer(viewer), ...names])
        const list = createViewerList(unwrap(listed, now()))
        const steps: [string, Buffer | undefined][] = []
        for (const [at, { id }] of own.entries()) {
          list.remove(id)
          const isEnd = unwrap(there[at], now())?.[0] === END
          if (!isEnd && there[at] !== undefined) steps.push([names[at] as string, undefined])
        }
        await put([...steps, stepOf(viewer, list)], false)
        return []
      })
    })

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
    write: (all) => inTurn(() => perViewer(all, writeViewer)),
    end: (endings) =>
      inTurn(async () => {
        const outcomes: EndOutcome[] = []
        for (const one of endings) outcomes.push(await endOne(one, one.value, one.keepFor))
        if (endings.length > 0) await put([], true)
        return outcomes
      }),
    drop,

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
