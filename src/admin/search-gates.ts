import type { Answerer, AskedGate, Asking, Fleet } from '../fleet/fleet.ts'
import type { SessionView } from '../session/session-view.ts'
import { anything, isFields, listOf, number, object, type Shape, text } from '../state/shape.ts'
import type { SessionFilter, SessionsDesk } from './sessions-desk.ts'

/** What all gates that share a store have of a search. */
interface Found {
  /** The latest opened first. One that two gates have is listed as the one has it that saw it last. */
  readonly sessions: readonly SessionView[]
  /** There is no next page: a search is made narrower instead. */
  readonly next: null
  /** How many match at least. */
  readonly total: number
  readonly gates: readonly AskedGate[]
}

/** Looks for sessions at all gates that share a store. */
export interface SearchGates {
  /** @param most rows */
  search(filter: SessionFilter, most: number): Promise<Found>
  find(
    id: string,
  ): Promise<{ readonly session?: SessionView; readonly complete: boolean } & Pick<Found, 'gates'>>
}

/** Most rows of all gates together. */
const MOST_ROWS = 1_000

export function createSearchGates(
  desk: Pick<SessionsDesk, 'list' | 'find'>,
  fleet: Pick<Fleet, 'ask'>,
): SearchGates {
  return {
    async search(filter, most) {
      const own = desk.list(filter, most, null)
      const { others, gates } = await fleet.ask('sessions', { filter })
      const pages = [own, ...others.flatMap(({ value }) => pageShape(value) ?? [])]
      const found = new Map<string, SessionView>()
      let twice = 0
      for (const view of pages.flatMap(({ sessions }) => sessions)) {
        const other = found.get(view.session)
        if (other !== undefined) twice++
        if (other === undefined || view.lastRequest > other.lastRequest) found.set(view.session, view)
      }
      const sessions = [...found.values()].sort(byStart).slice(0, most)
      const total = pages.reduce((sum, page) => sum + page.total, 0) - twice
      return { sessions, next: null, total, gates }
    },
    async find(id) {
      const { others, gates, complete } = await fleet.ask('session', { id })
      const found = [desk.find(id), ...others.map(({ value }) => viewShape(value))]
      const [session] = found
        .filter((one) => one !== undefined)
        .sort((a, b) => (a.lastRequest < b.lastRequest ? 1 : -1))
      return session === undefined ? { gates, complete } : { session, gates, complete }
    },
  }
}

/** How this gate answers other ones. */
export function createAnswerers(
  desk: Pick<SessionsDesk, 'list' | 'find' | 'closing'>,
): Readonly<Record<Asking, Answerer>> {
  return {
    sessions(parameters, most) {
      const asked = searchShape(parameters)
      if (asked === undefined) return undefined
      const page = desk.list(asked.filter, MOST_ROWS, null)
      let bytes = 0
      const sessions = page.sessions.filter((view) => {
        bytes += JSON.stringify(view).length + 1
        return bytes <= most
      })
      return { sessions, total: page.total }
    },
    session: (parameters) => desk.find(idShape(parameters)?.id ?? '') ?? null,
    'close-session': async (parameters) =>
      (await desk.closing.held(idShape(parameters)?.id ?? '')) ?? { closed: 0 },
  }
}

function byStart(a: SessionView, b: SessionView): number {
  if (a.start !== b.start) return a.start < b.start ? 1 : -1
  return a.session < b.session ? -1 : 1
}

const idShape = object({ id: text })
const knownFilter = object({}, { channel: text, address: text, user: text })
/** A filter of which this release understands a part only would mean more sessions, or all. */
const filterShape: Shape<SessionFilter> = (given) => {
  const read = knownFilter(given)
  return isFields(given) && read !== undefined && Object.keys(read).length === Object.keys(given).length
    ? read
    : undefined
}
const searchShape = object({ filter: filterShape })

/** What people look at is passed on as another gate, of another release perhaps, shows it. */
const viewFields = object({ session: text, start: text, lastRequest: text, gate: anything })
const viewShape: Shape<SessionView> = (given) =>
  viewFields(given) === undefined ? undefined : (given as SessionView)
const pageShape = object({ sessions: listOf(viewShape, MOST_ROWS), total: number })
