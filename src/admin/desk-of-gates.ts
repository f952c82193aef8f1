import type { Asked, AskedGate, Fleet } from '../fleet/fleet.ts'
import type { SessionView } from '../session/session-view.ts'
import type { Closing } from './close-sessions.ts'
import type { Asking } from './gate-answers.ts'
import { mergeSessions, readSlice, readView } from './merge-sessions.ts'
import { readReply } from './read-reply.ts'
import type {
  DeskAmongGates,
  RefusedUserView,
  SessionFilter,
  SessionPage,
  SessionsDesk,
} from './sessions-desk.ts'

/** Which gates have answered, by name. */
export interface OfGates {
  readonly gates: readonly AskedGate[]
}

/** Whether all gates have answered that were heard of in the last seconds. */
interface OfAll extends OfGates {
  readonly complete: boolean
}

/** The sessions of all gates that share a store. */
export interface DeskOfGates {
  /** As that of one gate. */
  list(filter: SessionFilter, limit: number, after: string | null): Promise<SessionPage & OfGates>
  find(id: string): Promise<OfAll & { readonly session: SessionView | undefined }>
  refusedUsers(most: number): Promise<OfGates & { readonly users: readonly RefusedUserView[] }>
  /** Ends a session wherever it is. */
  close(id: string): Promise<Closing & OfAll>
  closeAll(filter: SessionFilter): Promise<Closing & OfAll>
}

export interface DeskOfGatesOptions {
  /** That of this gate. */
  readonly desk: SessionsDesk
  readonly fleet: Pick<Fleet, 'ask'>
  readonly toStoreTime: DeskAmongGates['toStoreTime']
  /** Monotonic milliseconds. */
  readonly clock: () => number
}

const nobody: Closing = { closed: 0 }

export function createDeskOfGates({ desk, fleet, toStoreTime, clock }: DeskOfGatesOptions): DeskOfGates {
  const ask = <Value>(what: Asking, parameters: object, own: () => Value | Promise<Value>) =>
    fleet.ask(what, { ...parameters }, own)
  const underWay = new Map<string, Promise<SessionPage & OfGates>>()

  return {
    list(filter, limit, after) {
      const key = JSON.stringify([filter.channel, filter.address, filter.user, limit, after])
      const found = underWay.get(key)
      // After a `reload` all live pages want the same at once.
      if (found !== undefined) return found
      const parameters = { filter, limit, ...(after === null ? {} : { after }) }
      const asked = ask('sessions', parameters, () => desk.slice(filter, limit, after)).then(
        ({ own, others, gates }) => ({
          ...mergeSessions([own, ...others.map(({ value }) => readSlice(value))], limit),
          gates,
        }),
      )
      const page = asked.finally(() => underWay.delete(key))
      underWay.set(key, page)
      return page
    },

    async find(id) {
      const { own, others, gates, complete } = await ask('session', { id }, () => desk.find(id))
      const found = [own, ...others.map(({ value }) => readView(value))].filter((one) => one !== undefined)
      const [session] = found.sort((a, b) => (a.lastRequest < b.lastRequest ? 1 : -1))
      return { session, gates, complete }
    },

    async refusedUsers(most) {
      const { own, others, gates } = await ask('refused-users', {}, () => desk.refusedUsers(most))
      const all = [...own, ...others.flatMap(({ value }) => readReply(value).list('users').map(readUser))]
      return { users: sumUp(all).slice(0, most), gates }
    },

    async close(id) {
      const asked = await ask('close-session', { id }, () => desk.closing.held(id))
      const closed = closingOf({ ...asked, own: asked.own ?? nobody })
      if (closed.closed > 0) return closed
      // It is nobody's now: the store may hold it, or it has come to this gate in the meantime.
      return { ...closed, ...(await desk.close(id)) }
    },

    async closeAll(filter) {
      const before = toStoreTime(clock())
      return closingOf(await ask('close-matching', { filter, before }, () => desk.closeAll(filter)))
    },
  }
}

/** What this gate has closed, and the others beside it. One that could not write it counts for all. */
function closingOf({ own, others, gates, complete }: Asked<Closing>): Closing & OfAll {
  const replies = others.map(({ value }) => readReply(value))
  const closed = replies.reduce((sum, reply) => sum + reply.number('closed'), own.closed)
  const unwritten = replies
    .map((reply) => readReply(reply.record('inStore')))
    .find((inStore) => inStore.text('message') !== undefined && !inStore.flag('written'))
  const stored = own.inStore ?? { stored: 0, written: true }
  const message = unwritten?.text('message')
  const inStore = stored.written && message !== undefined ? { ...stored, written: false, message } : stored
  return { closed, inStore, gates, complete }
}

function readUser(value: unknown): RefusedUserView {
  const given = readReply(value)
  return {
    user: given.text('user') ?? '',
    refused: given.number('refused'),
    displaced: given.number('displaced'),
    isShared: given.flag('isShared'),
    last: given.text('last') ?? '',
  }
}

/** The same user may be refused at several gates. The most refused first. */
function sumUp(all: readonly RefusedUserView[]): RefusedUserView[] {
  const users = new Map<string, RefusedUserView>()
  for (const one of all) {
    const other = users.get(one.user)
    const sum =
      other === undefined
        ? one
        : {
            user: one.user,
            refused: one.refused + other.refused,
            displaced: one.displaced + other.displaced,
            isShared: one.isShared || other.isShared,
            last: latest(one.last, other.last),
          }
    users.set(one.user, sum)
  }
  return [...users.values()].sort((a, b) => b.refused + b.displaced - (a.refused + a.displaced))
}

/** Of two times in ISO 8601. */
function latest(one: string, other: string): string {
  return one < other ? other : one
}
