import type { UserLimit } from '../limit/session-limit.ts'
import type { Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import { type CloseSessions, type Closing, createCloseSessions } from './close-sessions.ts'
import { comparePlaces, cursorOf, type Place, readCursor } from './place-in-list.ts'

/**
 * Which sessions are meant. Each text must be equal to that of the session. An empty filter means all
 * sessions.
 */
export interface SessionFilter {
  readonly channel?: string
  readonly address?: string
  readonly user?: string
}

/** One page of sessions. */
export interface SessionPage {
  /** Where gates share a store each has its `gate`. */
  readonly sessions: readonly SessionView[]
  /** The `after` of the next page; null on the last page. */
  readonly next: string | null
  /** How many sessions match, on all pages together. */
  readonly total: number
}

/** A session, and where it stands in the order of all. */
export interface PlacedSession extends Place {
  readonly view: SessionView
}

/** What `list` is made of. */
export interface SessionSlice {
  readonly sessions: readonly PlacedSession[]
  /** Whether others follow. */
  readonly more: boolean
  readonly total: number
}

/** Finds and closes the sessions of this gate for the operator. */
export interface SessionsDesk {
  /** Newest sessions first. `after` is the `next` of another page; null begins. */
  list(filter: SessionFilter, limit: number, after: string | null): SessionPage
  /** The same, to be merged with those of other gates. */
  slice(filter: SessionFilter, limit: number, after: string | null): SessionSlice
  find(id: string): SessionView | undefined
  /** Users who were refused or displaced in the last hour, because others played under their name. */
  refusedUsers(most: number): readonly RefusedUserView[]
  /** Ends a session, also one that only the store holds. The next request of its viewer is judged again. */
  close(id: string): Promise<Closing>
  /** Ends all sessions that match, also those that only the store holds. */
  closeAll(filter: SessionFilter): Promise<Closing>
  /** The parts of closing that other gates ask for. */
  readonly closing: Pick<CloseSessions, 'held' | 'here'>
}

/** A user as the API shows it. */
export interface RefusedUserView {
  readonly user: string
  /** Requests that were refused. */
  readonly refused: number
  /** Plays that were ended. */
  readonly displaced: number
  /** They were put out at so many networks that the name must be shared. */
  readonly isShared: boolean
  /** ISO 8601 in UTC. */
  readonly last: string
}

export interface SessionsDeskOptions {
  readonly tables: readonly SessionTable[]
  readonly toIso: ToIso
  /** Undefined where nobody has a limit. */
  readonly limit?: Pick<UserLimit, 'describe' | 'refusedUsers'> | undefined
  /** Where gates share a store. */
  readonly shared?: DeskAmongGates | undefined
  /** Undefined where sessions do not outlive the process. */
  readonly store?: Pick<SessionStore, 'standing' | 'remove' | 'mark' | 'removeStored' | 'state'> | undefined
}

/** What a desk must know where gates share a store. */
export interface DeskAmongGates {
  /** What people call this gate. */
  readonly name: string
  /**
   * Turns a time of the monotonic clock into store time, in whole milliseconds, which all gates have in
   * common. The same moment should always give the same time: else a session at the end of a page may be on
   * two pages, or on none.
   */
  readonly toStoreTime: (monotonic: number) => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
}

/**
 * Creates the desk. Each look-up walks through all sessions, about ten milliseconds for a hundred thousand.
 * An index would cost memory for each session, and an operator seldom asks.
 */
export function createSessionsDesk(options: SessionsDeskOptions): SessionsDesk {
  const { tables, toIso, store, limit, shared } = options
  const placeOf = ({ openedAt, id }: Session): Place => ({
    openedAt: shared === undefined ? openedAt : shared.toStoreTime(openedAt),
    id,
  })
  const view = (session: Session): SessionView => {
    const user = limit?.describe(session)
    const counted = user?.terms && { plays: user.plays.length, limit: user.terms.max }
    const seen = viewOf(session, toIso, store?.standing(session), counted)
    return shared === undefined ? seen : { ...seen, gate: shared.name }
  }

  function* matching({ channel, address, user }: SessionFilter): Iterable<[SessionTable, Session]> {
    for (const table of tables) {
      for (const session of table.all()) {
        if (channel !== undefined && channel !== session.scope.shownChannel) continue
        if (address !== undefined && address !== session.address) continue
        if (user !== undefined && user !== session.userId) continue
        yield [table, session]
      }
    }
  }

  const get = (id: string): [SessionTable, Session] | undefined => {
    for (const held of matching({})) if (held[1].id === id) return held
    return undefined
  }

  const slice = (filter: SessionFilter, limit: number, after: string | null): SessionSlice => {
    const behind = after === null ? undefined : readCursor(after)
    const page: (Place & { readonly session: Session })[] = []
    let total = 0
    let more = false
    for (const [, session] of matching(filter)) {
      total++
      const place = placeOf(session)
      if (behind !== undefined && comparePlaces(place, behind) <= 0) continue
      const last = page.at(-1)
      if (page.length === limit && last !== undefined) {
        more = true
        if (comparePlaces(place, last) > 0) continue
        page.pop()
      }
      page.splice(indexIn(page, place), 0, { ...place, session })
    }
    const sessions = page.map(({ openedAt, id, session }) => ({ openedAt, id, view: view(session) }))
    return { sessions, more, total }
  }

  const closing = createCloseSessions({ matching, get, store, shared })

  return {
    list(filter, limit, after) {
      const { sessions, more, total } = slice(filter, limit, after)
      const last = sessions.at(-1)
      return {
        sessions: sessions.map((one) => one.view),
        next: more && last !== undefined ? cursorOf(last) : null,
        total,
      }
    },
    slice,

    find(id) {
      const held = get(id)
      return held === undefined ? undefined : view(held[1])
    },

    refusedUsers: (most) =>
      (limit?.refusedUsers(most) ?? []).map(({ user, refused, displaced, isShared, last }) => ({
        // The key of a user begins with the group of their backend.
        ...{ user: user.slice(user.indexOf('\n') + 1), refused, displaced, isShared },
        last: toIso(last),
      })),

    close: closing.one,
    closeAll: closing.all,
    closing,
  }
}

/** Where to insert a session, found by binary search. */
function indexIn(page: readonly Place[], place: Place): number {
  let from = 0
  let to = page.length
  while (from < to) {
    const middle = (from + to) >> 1
    const at = page[middle]
    if (at !== undefined && comparePlaces(at, place) < 0) from = middle + 1
    else to = middle
  }
  return from
}
