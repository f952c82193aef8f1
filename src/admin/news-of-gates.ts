import type { AskedGate, Fleet } from '../fleet/fleet.ts'
import { FRESH } from '../fleet/roster.ts'
import type { EventStream } from './event-stream.ts'
import type { Asking } from './gate-answers.ts'
import { readView } from './merge-sessions.ts'
import { readReply } from './read-reply.ts'
import type { EndedView } from './recent-changes.ts'

export interface NewsOfGatesOptions {
  readonly fleet: Pick<Fleet, 'name' | 'ask' | 'others' | 'isAway'>
  readonly version: string
  /** How many sessions this gate has. */
  readonly sessions: () => number
  /** Who reads it. */
  readonly live: () => Pick<EventStream, 'elsewhere' | 'reload' | 'readers'>
  /** Monotonic milliseconds. */
  readonly clock: () => number
  readonly onInternalError: (error: unknown) => void
}

/** A gate as the live page shows it. */
export interface ShownGate extends AskedGate {
  readonly version: string
  readonly sessions: number
  /** Seconds since it was heard of; 0 for this one. */
  readonly seen: number
}

/** What the live page is told of all gates. */
export interface ShownGates {
  /** The name of this gate. */
  readonly name: string
  /** The store that they share cannot be reached: nothing is known of the others now. */
  readonly away: boolean
  /** By name, this one included. */
  readonly all: readonly ShownGate[]
  /** How many live pages this gate serves. */
  readonly pages: number
}

/** Brings the live page the sessions of other gates, however many pages are open: one question at a time. */
export interface NewsOfGates {
  /** Asks the others what has changed, unless that is under way. To be called once a second. */
  look(): void
  shown(): ShownGates
}

/** Who has answered so many milliseconds ago says nothing of now; then it counts who was heard of. */
const OLD = 3_000

export function createNewsOfGates(options: NewsOfGatesOptions): NewsOfGates {
  const { fleet, version, sessions, live, clock, onInternalError } = options
  /** What each gate has said last, by its id: it is given back with the next question. */
  let marks = new Map<string, string>()
  let answered = new Set<string>()
  let answeredAt = Number.NEGATIVE_INFINITY
  let isAsking = false
  let hasLooked = false

  const ask = async (): Promise<void> => {
    const what: Asking = 'changes'
    const heard = fleet.others().filter(({ age }) => age <= FRESH)
    // Each gate has a mark of its own, and all are asked at once.
    const { others } = await fleet.ask(what, { marks: Object.fromEntries(marks) }, () => undefined)
    answered = new Set(others.map(({ gate }) => gate))
    answeredAt = clock()
    // A gate that has come or gone has sessions that the pages do not know, or know in vain.
    let isOld = !fleet.isAway() && [...marks.keys()].some((gate) => !heard.some((one) => one.gate === gate))
    const next = new Map(
      [...marks].filter(([gate]) => fleet.isAway() || heard.some((one) => one.gate === gate)),
    )
    for (const { gate, value } of others) {
      const reply = readReply(value)
      const isKnown = marks.has(gate)
      next.set(gate, reply.text('mark') ?? '')
      if (reply.flag('lost')) isOld ||= isKnown || hasLooked
      else
        live().elsewhere(
          reply.list('opened').flatMap((one) => readView(one) ?? []),
          reply.list('ended').flatMap((one) => readEnd(one) ?? []),
        )
    }
    marks = next
    hasLooked = true
    if (isOld) live().reload()
  }

  return {
    look() {
      if (isAsking) return
      isAsking = true
      ask()
        .catch(onInternalError)
        .finally(() => {
          isAsking = false
        })
    },
    shown() {
      const isOld = clock() - answeredAt > OLD
      const others = fleet.others().map((one) => ({
        name: one.name,
        answered: isOld ? !fleet.isAway() && one.age <= FRESH : answered.has(one.gate),
        version: one.version,
        sessions: one.sessions,
        seen: Math.round(one.age / 1000),
      }))
      const own = { name: fleet.name, answered: true, version, sessions: sessions(), seen: 0 }
      const all = [own, ...others].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      return { name: fleet.name, away: fleet.isAway(), all, pages: live().readers() }
    },
  }
}

function readEnd(value: unknown): EndedView | undefined {
  const end = readReply(value)
  const [session, why, gate] = [end.text('session'), end.text('why'), end.text('gate')]
  if (session === undefined || why === undefined || gate === undefined) return undefined
  return { session, why: why as EndedView['why'], gate }
}
