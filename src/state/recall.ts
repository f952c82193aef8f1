import { LRUCache } from 'lru-cache'
import type { Asking, Recalled, StoredSession } from '../decision/stored.ts'
import type { Session } from '../session/session.ts'
import type { Kept, Rebuild, StoreClock } from './kept.ts'
import type { KnownSessions } from './known-sessions.ts'
import { type CloseMark, KEEP_MARK, type Marks, matches } from './marks.ts'
import { createResumableUntil } from './silence.ts'
import type { ListedSession, StoreEngine } from './store-engine.ts'
import type { StoreLink } from './store-link.ts'
import type { FormerMark, Vault } from './vault.ts'
import type { WriteBehind } from './write-behind.ts'

export interface RecallOptions {
  readonly link: Pick<StoreLink, 'use' | 'isUsable' | 'opening' | 'number' | 'areAgesUnknown'>
  readonly keys: StoreEngine['keys']
  readonly vault: Vault
  readonly written: Pick<WriteBehind, 'isRemoved' | 'unwritten' | 'silentOf'>
  readonly known: Pick<KnownSessions, 'get'>
  readonly marks: Marks
  readonly rebuild: Rebuild
  readonly clock: StoreClock
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  /** The sessions of a viewer in the table. */
  readonly sessionsOf?: ((viewer: string) => Iterable<Session>) | undefined
}

/** Reads sessions back. It changes nothing in the store. */
export interface Recall {
  /** See `Stored.recall`. */
  recall(asked: Asking): Promise<Recalled | undefined> | undefined
  /** The sessions of a viewer that the table does not have; undefined where the store has failed. */
  keptOf(viewer: string): Promise<readonly Kept[] | undefined>
  /** Whether the operator has closed it since it was opened. */
  isClosed(kept: Pick<Kept, 'session' | 'number'>): boolean
  /** Reads the marks of users that were not looked up yet, or of all these. Resolves with new ones. */
  lookUpUsers(users: readonly string[], again?: boolean): Promise<readonly CloseMark[]>
  /** What was read may be true no more: the store was emptied, or its clock was set. */
  forget(): void
  /** Reads what the release before has kept of closings. Never rejects. */
  readFormerMarks(engine: StoreEngine): Promise<void>
  /** Somebody changes this session. */
  forgetOne(id: string): void
}

/** A session as it was read, and the number of its last change then. */
interface Read {
  readonly change: number
  readonly kept: Kept
}

/** What was read once is not read again until it changes: sessions, and bytes of them. */
const CACHE = { max: 4_000, maxSize: 16 * 1_048_576 }
/** Users whose marks were looked up. From then on letters tell of new ones. */
const LOOKED_UP = 50_000

export function createRecall(options: RecallOptions): Recall {
  const { link, keys, vault, written, known, marks, rebuild, clock, idle } = options
  /** Under way, by viewer and cookie. */
  const recalls = new Map<string, Promise<Recalled | undefined>>()
  const read = new LRUCache<string, Read>({ ...CACHE, sizeCalculation: ({ kept }) => kept.session.bytes })
  const lookedUp = new LRUCache<string, true>({ max: LOOKED_UP, ttl: KEEP_MARK })
  const startedAt = clock.now()
  /** Closings of the release before, with the times of the store. */
  let formerMarks: readonly FormerMark[] = []

  const isClosed = ({ session, number }: Pick<Kept, 'session' | 'number'>): boolean =>
    marks.has({
      id: session.id,
      channel: session.scope.shownChannel,
      address: session.address,
      user: session.userId,
      number,
    })

  const lookUpUsers = async (users: readonly string[], isAgain = false): Promise<CloseMark[]> => {
    const unknown = [...new Set(users)].filter((user) => user !== '' && (isAgain || !lookedUp.has(user)))
    if (unknown.length === 0) return []
    const fresh: CloseMark[] = []
    const names = unknown.map(vault.user)
    const found = await link.use('recall', (engine) => engine.marksOf(names))
    for (const [at, value] of (found ?? []).entries()) {
      const user = unknown[at] as string
      lookedUp.set(user, true)
      const text = value && vault.open(value, keys.userMark(names[at] as string))
      const number = Number(text)
      if (text === undefined || !Number.isSafeInteger(number)) continue
      const mark = { filter: { user }, number }
      if (marks.add(mark)) fresh.push(mark)
    }
    return fresh
  }

  const readOf = ({ id, change }: ListedSession): Kept | undefined => {
    const known = read.get(id)
    return known?.change === change ? known.kept : undefined
  }

  const readListed = async (
    engine: StoreEngine,
    name: string,
    listed: readonly ListedSession[],
  ): Promise<readonly Kept[]> => {
    const wanted = listed.filter(({ id }) => known.get(id) === undefined && !written.isRemoved(id))
    const unread = wanted.filter((one) => readOf(one) === undefined)
    const values =
      unread.length === 0
        ? []
        : await engine.read(
            name,
            unread.map(({ id }) => id),
          )
    for (const [at, one] of unread.entries()) {
      const value = values[at]
      const found = value && vault.readSession(name, one.id, value)
      const kept = found !== undefined && !('ended' in found) ? rebuild(found, clock) : undefined
      if (kept === undefined) continue
      kept.hasLeft = one.state === 'left'
      if (link.areAgesUnknown()) kept.session.dueAt = Math.min(kept.session.dueAt, clock.now())
      read.set(one.id, { change: one.change, kept })
    }
    return wanted.flatMap((one) => {
      const kept = readOf(one)
      if (kept === undefined) return []
      return written.unwritten(kept.session) ?? kept
    })
  }

  /** What the release before has kept of a viewer of whom this one has nothing. */
  const readFormer = async (engine: StoreEngine, viewer: string): Promise<readonly Kept[]> => {
    // By then each record of it has expired.
    if (clock.now() - startedAt > KEEP_MARK) return []
    const places = vault.formerPlaces(viewer)
    const found = await Promise.all(places.map((place) => engine.former(place)))
    const records = places.flatMap((place, at) =>
      (found[at] ?? []).flatMap(({ id, payload }) => vault.readFormer(place, id, payload) ?? []),
    )
    const own = records.filter((one) => one.viewer === viewer && known.get(one.id) === undefined)
    if (own.length === 0) return []
    // What has ended since stands under its key of today.
    const values = await engine.read(
      vault.viewer(viewer),
      own.map(({ id }) => id),
    )
    return own.flatMap((record, at) => {
      const kept = rebuild(record, clock)
      if (values[at] !== undefined || written.isRemoved(record.id) || kept === undefined) return []
      // The marks of the release before have no numbers.
      return isFormerlyClosed(kept) ? [] : [{ ...kept, number: link.number() }]
    })
  }

  const isFormerlyClosed = ({ session }: Kept): boolean =>
    formerMarks.some(({ filter, at }) => session.openedAt + clock.offset <= at && matches(filter, session))

  const keptNamed = async (engine: StoreEngine, name: string): Promise<readonly Kept[]> =>
    readListed(engine, name, await engine.list(name))

  const keptOf = (viewer: string): Promise<readonly Kept[] | undefined> =>
    link.use('recall', async (engine) => {
      const name = vault.viewer(viewer)
      const listed = await engine.list(name)
      return listed.length === 0 ? readFormer(engine, viewer) : readListed(engine, name, listed)
    })

  /** Sessions that a cookie leads to, of other viewers; none where their server is away. */
  const keptWith = async (cookie: string, viewer: string): Promise<readonly Kept[]> => {
    const found = await link.use('recall', async (engine) => {
      const names = await engine.viewersOf(vault.cookie(cookie))
      const own = vault.viewer(viewer)
      return await Promise.all(names.filter((name) => name !== own).map((name) => keptNamed(engine, name)))
    })
    return (found ?? []).flat().filter(({ session }) => session.secret?.cookies.includes(cookie))
  }

  const readAll = async ({ viewer, cookie }: Asking): Promise<Recalled | undefined> => {
    const [own, others] = await Promise.all([
      keptOf(viewer),
      cookie === undefined ? [] : keptWith(cookie, viewer),
    ])
    if (own === undefined) return undefined
    const found = new Map([...own, ...others].map((kept) => [kept.session.id, kept]))
    // A record may still say that they play.
    const viewers = new Set([viewer, ...others.map(({ session }) => session.viewer)])
    for (const one of [...viewers].flatMap((each) => [...written.silentOf(each)])) {
      const { secret } = one.session
      if (one.session.viewer === viewer || secret?.cookies.includes(cookie ?? '') === true)
        found.set(one.session.id, one)
    }
    if (found.size === 0) return { playing: [], silent: [] }
    await lookUpUsers([...found.values()].map(({ session }) => session.userId))
    const now = clock.now()
    const all = [...found.values()].filter((kept) => !kept.removed && !isClosed(kept))
    all.sort((a, b) => a.session.lastSeen - b.session.lastSeen)
    const table = [...(options.sessionsOf?.(viewer) ?? [])].flatMap(({ id }) => known.get(id) ?? [])
    const until = createResumableUntil([...all, ...table])
    const playing: StoredSession[] = []
    const silent: StoredSession[] = []
    for (const one of all) {
      // While it was read, it came into the table.
      if (known.get(one.session.id) !== undefined) continue
      const list = one.silent || now - one.session.activeAt > idle ? silent : playing
      list.push(storedOf(one, until))
    }
    return { playing, silent }
  }

  return {
    recall(asked) {
      const opening = link.opening()
      if (opening === undefined && !link.isUsable()) return undefined
      const key = `${asked.viewer}\n${asked.cookie ?? ''}`
      const under = recalls.get(key)
      if (under !== undefined) return under
      const recalling = (opening === undefined ? readAll(asked) : opening.then(() => readAll(asked))).finally(
        () => recalls.delete(key),
      )
      recalls.set(key, recalling)
      return recalling
    },
    keptOf,
    isClosed,
    lookUpUsers,
    async readFormerMarks(engine) {
      const found = await engine.former('marks').catch(() => [])
      formerMarks = found.flatMap(({ id, payload }) => vault.readFormerMark(id, payload) ?? [])
    },
    forgetOne: (id) => void read.delete(id),
    forget() {
      read.clear()
      lookedUp.clear()
    },
  }
}

function storedOf(kept: Kept, until: (kept: Kept) => number): StoredSession {
  return {
    ...{ session: kept.session, allowedAt: kept.allowedAt, resumeFor: kept.resumeFor, part: kept.part },
    ...{ limited: kept.limited, silent: kept.silent, number: kept.number },
    // Few of them answer the request, and only those are looked at.
    get resumableUntil() {
      return until(kept)
    },
  }
}
