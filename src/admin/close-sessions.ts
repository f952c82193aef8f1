import { setImmediate } from 'node:timers/promises'
import type { Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { DeskAmongGates, SessionFilter } from './sessions-desk.ts'

/** What a closing has reached. */
export interface Closing {
  /** How many sessions of this process have ended. */
  readonly closed: number
  /** Undefined where there is no store. */
  readonly inStore?: ClosingInStore
}

export interface ClosingInStore {
  /**
   * How many more only the store held; null: it could not be searched, or gates share it. Then it is not
   * searched, since it may hold millions: a mark says that they are closed.
   */
  readonly stored: number | null
  /** Not even a crash brings one of them back. Else it is tried again. */
  readonly written: boolean
  /** A sentence: why the store has not done its part. */
  readonly message?: string
}

export interface CloseSessions {
  /** Ends a session for good, wherever it is. */
  one(id: string): Promise<Closing>
  /** Ends all sessions that match and that were opened before. */
  all(filter: SessionFilter): Promise<Closing>
  /** Ends a session for good that this process has; undefined: it has not. */
  held(id: string): Promise<Closing | undefined>
  /**
   * Ends the sessions of this process that match; another gate tells the store.
   * @param before only those that were opened before then, in store time
   */
  here(filter: SessionFilter, before: number): Promise<Closing>
}

export interface CloseSessionsOptions {
  /** The sessions of this process, each with its table. */
  readonly matching: (filter: SessionFilter) => Iterable<[SessionTable, Session]>
  readonly get: (id: string) => [SessionTable, Session] | undefined
  readonly store: Pick<SessionStore, 'remove' | 'mark' | 'removeStored' | 'state'> | undefined
  /** Where gates share a store. */
  readonly shared?: Pick<DeskAmongGates, 'toStoreTime'> | undefined
}

/** Sessions that are closed in one go. Requests are answered between two goes. */
const SLICE = 1_000
/** What may be an id. For anything else the store is not searched. */
const idPattern = /^[\w-]{22}$/

export function createCloseSessions(options: CloseSessionsOptions): CloseSessions {
  const { matching, get, store, shared } = options
  const whyOf = (): string => store?.state().message ?? 'the store did not do it in time'

  const notWritten = (stored: number | null): ClosingInStore => ({
    ...{ stored, written: false },
    message: `closed here, but not written yet; that is tried again, but a gate that ends before may bring sessions back: ${whyOf()}`,
  })

  const closeHeld = async (id: string): Promise<Closing | undefined> => {
    const held = get(id)
    if (held === undefined) return undefined
    const [table, session] = held
    // The store knows no provisional session.
    const written =
      store === undefined || session.provisional || (await store.remove(session, { why: 'closed' }))
    table.end(session, 'closed')
    if (store === undefined) return { closed: 1 }
    return { closed: 1, inStore: written ? { stored: 0, written } : notWritten(0) }
  }

  const endAll = async (all: readonly [SessionTable, Session][]): Promise<number> => {
    let closed = 0
    for (const [index, [table, session]] of all.entries()) {
      if (index % SLICE === SLICE - 1) await setImmediate()
      if (session.ended) continue
      table.end(session, 'closed')
      closed++
    }
    return closed
  }

  return {
    held: closeHeld,
    async here(filter, before) {
      const all = [...matching(filter)]
      const opened = (session: Session): number => shared?.toStoreTime(session.openedAt) ?? session.openedAt
      return { closed: await endAll(all.filter(([, session]) => opened(session) <= before)) }
    },

    async one(id) {
      const held = await closeHeld(id)
      if (held !== undefined || store === undefined || !idPattern.test(id)) return held ?? { closed: 0 }
      if (shared !== undefined) {
        const written = await store.mark({ id })
        return { closed: 0, inStore: written ? { stored: null, written } : notWritten(null) }
      }
      const stored = await store.removeStored({ id })
      // It may have been adopted before the search came to it.
      const adopted = await closeHeld(id)
      if (adopted !== undefined) return adopted
      if (stored !== undefined) return { closed: 0, inStore: { stored, written: true } }
      const message = `the store could not be searched for this id; ask again later: ${whyOf()}`
      return { closed: 0, inStore: { stored: null, written: false, message } }
    },

    async all(filter) {
      // Whoever is let in from now on is not meant.
      const all = [...matching(filter)]
      const written = store === undefined || (await store.mark(filter))
      const closed = await endAll(all)
      if (store === undefined) return { closed }
      const stored = shared === undefined ? ((await store.removeStored(filter)) ?? null) : null
      return { closed, inStore: written ? { stored, written } : notWritten(stored) }
    },
  }
}
