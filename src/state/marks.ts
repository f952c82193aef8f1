import { LRUCache } from 'lru-cache'
import type { Session } from '../session/session.ts'
import { listOf, number, object, readJson, text } from './shape.ts'

/** Which sessions an operator means. Each text must be equal to that of the session; none = all sessions. */
export interface ClosedFilter {
  /** As shown: what CHANNEL_PATTERN found, else the path, without a credential. */
  readonly channel?: string
  readonly address?: string
  readonly user?: string
  /** One session. */
  readonly id?: string
}

/** The operator has closed all sessions that match and that opened below this number. */
export interface CloseMark {
  readonly filter: ClosedFilter
  readonly number: number
}

/** What a mark is compared with. */
interface Closable {
  readonly id: string
  readonly channel: string
  readonly address: string
  readonly user: string
  /** The counter of the store when it opened; undefined where nobody knows: it is newer than any mark. */
  readonly number: number | undefined
}

/** A mark counts as long as something may be resumed that was opened before it; milliseconds. */
export const KEEP_MARK = 25 * 3_600_000
/** Most wide marks. */
export const MOST_WIDE = 1_000
/** Marks of users in memory; the store has all. */
const MOST_USERS = 20_000
/** Bytes of one text of a filter, as the admin API takes it. */
const MOST_OF_WIDE = 10_000

const filterShape = object({}, { channel: text, address: text, user: text, id: text })
const markShape = object({ filter: filterShape, number, until: number })
const wideShape = listOf(markShape, MOST_OF_WIDE)

/** A mark that counts until then: milliseconds of the monotonic clock here, of the store's in the store. */
interface WideMark extends CloseMark {
  readonly until: number
}

/** The wide marks of a value; undefined where it cannot be read. */
export function readWide(json: string): readonly WideMark[] | undefined {
  return readJson(json, wideShape)
}

export const readFilter = filterShape

/** Whether the mark is of one user alone: those lie under keys of their own. */
export function isOfUser({ channel, address, user, id }: ClosedFilter): boolean {
  return user !== undefined && channel === undefined && address === undefined && id === undefined
}

/** Whether an operator means this session. */
export function matches(
  { id, channel, address, user }: ClosedFilter,
  session: Pick<Session, 'id' | 'scope' | 'address' | 'userId'>,
): boolean {
  return (
    (id ?? session.id) === session.id &&
    (channel ?? session.scope.shownChannel) === session.scope.shownChannel &&
    (address ?? session.address) === session.address &&
    (user ?? session.userId) === session.userId
  )
}

/** The marks that this process knows. */
export interface Marks {
  /**
   * A smaller number of the same filter counts for nothing. True: it is new.
   * @param until milliseconds of the monotonic clock; 25 hours from now unless given
   */
  add(mark: CloseMark, until?: number): boolean
  /** Whether the operator has closed it. */
  has(session: Closable): boolean
  /** The wide ones, one for each filter. Where `all` is among them it is the only one below its number. */
  wide(): readonly WideMark[]
  /** Those of users that this process has made or heard within 25 hours. */
  ofUsers(): Iterable<CloseMark>
}

/** Every combination of the three texts: a session looks its filters up, however many marks there are. */
const combinations = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
  channel: (bits & 1) > 0,
  address: (bits & 2) > 0,
  user: (bits & 4) > 0,
}))

/** @param clock monotonic milliseconds */
export function createMarks(clock: () => number): Marks {
  const perf = { now: clock }
  const wide = new LRUCache<string, WideMark>({ max: 2 * MOST_WIDE, ttl: KEEP_MARK, perf })
  const users = new LRUCache<string, WideMark>({ max: MOST_USERS, ttl: KEEP_MARK, perf })

  return {
    add({ filter, number: of }, until = clock() + KEEP_MARK) {
      const marks = isOfUser(filter) ? users : wide
      const key = keyOf(filter)
      // `all` says it already.
      if (marks === wide && of <= (wide.get(ALL)?.number ?? 0)) return false
      const known = marks.get(key)
      if (known !== undefined && known.number >= of) return false
      const ttl = Math.min(KEEP_MARK, until - clock())
      if (ttl <= 0) return false
      marks.set(key, { filter, number: of, until }, { ttl })
      // It says all that they say.
      if (key === ALL)
        for (const [other, { number: before }] of [...wide.entries()])
          if (other !== key && before <= of) wide.delete(other)
      return true
    },
    has({ id, channel, address, user, number: opened }) {
      if (opened === undefined || wide.size + users.size === 0) return false
      const covers = (filter: ClosedFilter): boolean => {
        const mark = (isOfUser(filter) ? users : wide).get(keyOf(filter))
        return mark !== undefined && opened < mark.number
      }
      if (covers({ id })) return true
      return combinations.some((by) =>
        covers({
          ...(by.channel && { channel }),
          ...(by.address && { address }),
          ...(by.user && { user }),
        }),
      )
    },
    wide: () => [...wide.values()],
    ofUsers: () => users.values(),
  }
}

/** The key of the mark of all sessions. */
const ALL = keyOf({})

function keyOf({ id, channel, address, user }: ClosedFilter): string {
  return JSON.stringify([id, channel, address, user])
}
