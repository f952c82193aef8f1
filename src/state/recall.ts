import type { Asking, Recalled, StoredSession } from '../decision/stored.ts'
import type { Session } from '../session/session.ts'
import type { CloseMarks } from './close-marks.ts'
import { viewerOfCookie, viewersOf } from './cookie-ways.ts'
import { cookiesOf, type Kept, type Rebuild, type StoreClock } from './kept.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { RecallTurns } from './recall-turns.ts'
import type { SessionRecord } from './record.ts'
import { resumableUntil } from './silence.ts'
import type { StoreLink } from './store-link.ts'
import type { WriteBehind } from './write-behind.ts'

export interface RecallOptions {
  readonly link: Pick<StoreLink, 'use' | 'isUsable' | 'state'>
  readonly written: Pick<WriteBehind, 'isRemoved' | 'unwritten' | 'silentOf' | 'flush'>
  readonly known: Pick<KnownSessions, 'get' | 'settling'>
  readonly marks: Pick<CloseMarks, 'has'>
  readonly rebuild: Rebuild
  readonly clock: StoreClock
  /** For a store that gates share. */
  readonly turns?: RecallTurns | undefined
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
}

/** Reads sessions back. It changes nothing. */
export interface Recall {
  /** See `Stored.recall`. */
  recall(asked: Asking): Promise<Recalled | undefined> | undefined
  /** See `Stored.recallLater`. */
  recallLater(asked: Asking): Promise<Recalled | undefined> | undefined
  /**
   * The sessions of a viewer's records, in their newest state, those of the table included, and those that
   * the operator has closed; without those that have ended for good.
   */
  sessionsOf(records: readonly SessionRecord[]): Kept[]
  /** Whether the operator has closed it since it was opened. */
  isClosed(session: Session): boolean
  /** See `Stored.askedElsewhere`. */
  askedElsewhere(session: Session): Promise<boolean>
}

/** A store that was lost before so many milliseconds may be back within `WAIT`. */
const JUST_LOST = 3_000
/** Milliseconds that a request waits for it, and between two looks. */
const WAIT = 1_000
const LOOK_EVERY = 25
/** The gate that has asked about a session last is given so long to ask again before others; milliseconds. */
const GIVE_WAY = 500

export function createRecall(options: RecallOptions): Recall {
  const { link, written, known, marks, rebuild, clock, idle, turns } = options
  /** Under way, by viewer and cookie. */
  const recalls = new Map<string, Promise<Recalled | undefined>>()

  const isClosed = (session: Session): boolean =>
    marks.has({
      id: session.id,
      channel: session.scope.shownChannel,
      address: session.address,
      user: session.userId,
      openedAt: session.openedAt + clock.offset,
    })

  const sessionsOf = (records: readonly SessionRecord[]): Kept[] =>
    records.flatMap((record) => {
      const { id } = record
      if (written.isRemoved(id)) return []
      const kept = known.get(id) ?? written.unwritten(record) ?? rebuild(record, clock)
      return kept === undefined || kept.removed ? [] : [kept]
    })

  /** @param viewer whose turn it is */
  const recordsOf = (viewer: string, of: string): Promise<readonly SessionRecord[] | undefined> =>
    link.use('recall', (store) =>
      turns === undefined ? store.recall(of) : turns.take(viewer, () => store.recall(of)),
    )

  /** The records that a cookie leads to; undefined where the store has failed. */
  const recordsWith = async (
    cookie: string,
    viewer: string,
  ): Promise<readonly SessionRecord[] | undefined> => {
    const ways = await recordsOf(viewer, viewerOfCookie(cookie))
    if (ways === undefined) return undefined
    const others = viewersOf(ways).filter((other) => other !== viewer)
    const found = await Promise.all(others.map((other) => recordsOf(viewer, other)))
    if (found.includes(undefined)) return undefined
    return found.flatMap((records) => records?.filter((record) => cookiesOf(record).includes(cookie)) ?? [])
  }

  const read = async ({ viewer, cookie }: Asking): Promise<Recalled | undefined> => {
    const settling = known.settling(viewer)
    if (settling !== undefined) {
      // The end of a session is told before somebody resumes it.
      void written.flush()
      await settling
    }
    const [own, others = []] = await Promise.all([
      recordsOf(viewer, viewer),
      cookie === undefined ? [] : recordsWith(cookie, viewer),
    ])
    // What a cookie leads to may lie on another server, which is away.
    if (own === undefined) return undefined
    const records = [...own, ...others]
    const now = clock.now()
    const all = sessionsOf(records).filter(({ session }) => !isClosed(session))
    // A record may still say that they play.
    const viewers = new Set([viewer, ...others.map((record) => record.viewer)])
    const isAsked = ({ session }: Kept): boolean =>
      session.viewer === viewer || session.secret?.cookies.includes(cookie ?? '') === true
    for (const one of [...viewers].flatMap((each) => [...written.silentOf(each)]).filter(isAsked)) {
      const at = all.findIndex(({ session }) => session.id === one.session.id)
      if (at !== -1) all.splice(at, 1)
      if (!isClosed(one.session)) all.push(one)
    }
    all.sort((a, b) => a.session.lastSeen - b.session.lastSeen)
    const until = resumableUntil(all)
    const playing: StoredSession[] = []
    const silent: StoredSession[] = []
    for (const one of all) {
      const { session, allowedAt, resumeFor, part, limited, silent: isTold } = one
      if (known.get(session.id) !== undefined) continue
      const list = one.silent || now - session.activeAt > idle ? silent : playing
      list.push({
        ...{ session, allowedAt, resumeFor, part, limited, silent: isTold },
        resumableUntil: until.get(one) ?? 0,
      })
    }
    return { playing, silent }
  }

  const recall = (asked: Asking): Promise<Recalled | undefined> | undefined => {
    if (!link.isUsable(asked.viewer)) return undefined
    const key = `${asked.viewer}\n${asked.cookie ?? ''}`
    const joined = recalls.get(key)
    if (joined !== undefined) return joined
    const recalling = read(asked).finally(() => recalls.delete(key))
    recalls.set(key, recalling)
    return recalling
  }

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void options.after(milliseconds, resolve))

  const whenBack = async (asked: Asking): Promise<Recalled | undefined> => {
    for (let waited = 0; waited < WAIT; waited += LOOK_EVERY) {
      await pause(LOOK_EVERY)
      const recalling = recall(asked)
      if (recalling !== undefined) return recalling
    }
    return undefined
  }

  return {
    recall,
    recallLater(asked) {
      const { nodes = [] } = link.state()
      const isJustLost = nodes.some(({ usable, since }) => !usable && clock.now() - since < JUST_LOST)
      return isJustLost ? whenBack(asked) : undefined
    },
    sessionsOf,
    isClosed,
    async askedElsewhere(session) {
      if (!link.isUsable(session.viewer)) return false
      // It is due at the same time at all gates where it plays.
      if (known.get(session.id)?.isAskedElsewhere === true) await pause(GIVE_WAY)
      const records = await link.use('recall', (store) => store.recall(session.viewer))
      const kept = known.get(session.id)
      const record = records?.find(({ id }) => id === session.id)
      const now = clock.now()
      if (record === undefined || kept === undefined) return false
      const dueAt = record.dueAt === null ? Number.POSITIVE_INFINITY : record.dueAt - clock.offset
      const allowedAt = record.allowedAt - clock.offset
      if (allowedAt <= kept.allowedAt || dueAt <= now || record.failure !== undefined) return false
      kept.allowedAt = allowedAt
      kept.isAskedElsewhere = true
      session.dueAt = dueAt
      session.failure = undefined
      return true
    },
  }
}
