import type { UserLimit } from '../limit/session-limit.ts'
import type { Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import { type SessionView, type ToIso, viewOf } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import {
  type CloseSessions,
  type CloseSessionsOptions,
  type Closing,
  createCloseSessions,
} from './close-sessions.ts'
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

/** Finds and closes the sessions of this gate for the operator. */
export interface SessionsDesk {
  /** Newest sessions first. `after` is the `next` of another page; null begins. */
  list(filter: SessionFilter, limit: number, after: string | null): SessionPage
  find(id: string): SessionView | undefined
  /** Users who were refused or displaced in the last hour, because others played under their name. */
  refusedUsers(most: number): readonly RefusedUserView[]
  /** Ends a session, also one that only the store holds. The next request of its viewer is judged again. */
  close(id: string): Promise<Closing>
  /** Ends all sessions that match, also those that only the store holds. */
  closeAll(filter: SessionFilter): Promise<Closing>
  /** The parts of closing that other gates ask for. */
  readonly closing: Pick<CloseSessions, 'held' | 'provisional'>
}

/** A user as the API shows it. */
interface RefusedUserView {
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
  /** Where gates share a store: the name of this one, and all of them. */
  readonly gate?: string | undefined
  readonly fleet?: CloseSessionsOptions['fleet']
  /** Undefined where sessions do not outlive the process. */
  readonly store?: Pick<SessionStore, 'standing' | 'remove' | 'mark' | 'state'> | undefined
}

/**
 * Creates the desk. Each look-up walks through all sessions, about ten milliseconds for a hundred thousand.
 * An index would cost memory for each session, and an operator seldom asks.
 */
export function createSessionsDesk(options: SessionsDeskOptions): SessionsDesk {
  const { tables, toIso, store, limit, gate, fleet } = options
  const view = (session: Session): SessionView => {
    const user = limit?.describe(session)
    const counted = user?.terms && { plays: user.plays.length, limit: user.terms.max }
    const seen = viewOf(session, toIso, store?.standing(session), counted)
    return gate === undefined ? seen : { ...seen, gate }
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

  const closing = createCloseSessions({ matching, get, store, fleet })

  return {
    list(filter, limit, after) {
      const behind = after === null ? undefined : readCursor(after)
      const page: Session[] = []
      let total = 0
      let more = false
      for (const [, session] of matching(filter)) {
        total++
        if (behind !== undefined && comparePlaces(session, behind) <= 0) continue
        const last = page.at(-1)
        if (page.length === limit && last !== undefined) {
          more = true
          if (comparePlaces(session, last) > 0) continue
          page.pop()
        }
        page.splice(indexIn(page, session), 0, session)
      }
      const last = page.at(-1)
      return {
        sessions: page.map(view),
        next: more && last !== undefined ? cursorOf(last) : null,
        total,
      }
    },

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
