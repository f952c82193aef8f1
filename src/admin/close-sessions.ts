import { setImmediate } from 'node:timers/promises'
import type { Asked, AskedGate, Fleet } from '../fleet/fleet.ts'
import type { Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { SessionStore } from '../state/session-store.ts'
import { number, object } from '../state/shape.ts'
import type { SessionFilter } from './sessions-desk.ts'

/** What a closing has reached. */
export interface Closing {
  /** How many sessions have ended, at all gates that have answered. */
  readonly closed: number
  /** Undefined where there is no store. */
  readonly inStore?: ClosingInStore
  /** Where gates share a store: which have said that they have done it, and whether that is all of them. */
  readonly gates?: readonly AskedGate[]
  readonly complete?: boolean
}

interface ClosingInStore {
  /** Not even a crash brings one of them back. Else it is tried again. */
  readonly written: boolean
  /** A sentence: why the store has not done its part. */
  readonly message?: string
}

export interface CloseSessions {
  /** Ends a session for good, wherever it is. */
  one(id: string): Promise<Closing>
  /** Ends all sessions that match and that were opened before. @throws {TooManyMarks} */
  all(filter: SessionFilter): Promise<Closing>
  /** Ends a session for good that this process has; undefined: it has not. */
  held(id: string): Promise<Closing | undefined>
  /** Ends what the default action has let in, and the store does not know. Returns how many. */
  provisional(filter: SessionFilter): number
}

export interface CloseSessionsOptions {
  /** The sessions of this process, each with its table. */
  readonly matching: (filter: SessionFilter) => Iterable<[SessionTable, Session]>
  readonly get: (id: string) => [SessionTable, Session] | undefined
  readonly store: Pick<SessionStore, 'remove' | 'mark' | 'state'> | undefined
  /** Where gates share a store. */
  readonly fleet?: (() => Pick<Fleet, 'ask' | 'closed'> | undefined) | undefined
}

/** Sessions that are closed in one go. Requests are answered between two goes. */
const SLICE = 1_000
/** What may be an id. For anything else nobody is asked. */
const idPattern = /^[\w-]{22}$/

const counted = object({ closed: number })

export function createCloseSessions(options: CloseSessionsOptions): CloseSessions {
  const { matching, get, store, fleet } = options

  const inStore = (written: boolean): ClosingInStore => {
    if (written) return { written }
    const why = store?.state().message ?? 'the store did not do it in time'
    const message = `closed here, but not written yet; that is tried again, but a gate that ends before may bring sessions back: ${why}`
    return { written, message }
  }

  const closeHeld = async (id: string): Promise<Closing | undefined> => {
    const held = get(id)
    if (held === undefined) return undefined
    const [table, session] = held
    // The store knows no provisional session.
    const written =
      store === undefined || session.provisional || (await store.remove(session, { why: 'closed' }))
    table.end(session, 'closed')
    return store === undefined ? { closed: 1 } : { closed: 1, inStore: inStore(written) }
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
    provisional(filter) {
      const all = [...matching(filter)].filter(([, session]) => session.provisional)
      for (const [table, session] of all) table.end(session, 'closed')
      return all.length
    },

    async one(id) {
      const held = await closeHeld(id)
      if (held !== undefined || store === undefined || !idPattern.test(id)) return held ?? { closed: 0 }
      const asked = await fleet?.()?.ask('close-session', { id })
      const there = asked === undefined ? {} : { gates: asked.gates, complete: asked.complete }
      const closed = closedBy(asked)
      if (closed > 0) return { closed, inStore: inStore(true), ...there }
      // It is nobody's now: the store may hold it.
      const { written } = await store.mark({ id })
      // Or it has come to this gate in the meantime.
      return (await closeHeld(id)) ?? { closed: 0, inStore: inStore(written), ...there }
    },

    async all(filter) {
      // Whoever is let in from now on is not meant.
      const all = [...matching(filter)]
      const marked = await store?.mark(filter)
      const closed = await endAll(all)
      if (marked === undefined) return { closed }
      const here = { closed, inStore: inStore(marked.written) }
      const asked = await fleet?.()?.closed(marked.number)
      if (asked === undefined) return here
      return { ...here, closed: closed + closedBy(asked), gates: asked.gates, complete: asked.complete }
    },
  }
}

function closedBy(asked: Asked | undefined): number {
  return (asked?.others ?? []).reduce((sum, { value }) => sum + (counted(value)?.closed ?? 0), 0)
}
