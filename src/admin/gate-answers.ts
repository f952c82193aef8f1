import type { FindHeld } from '../explain/find-held.ts'
import { type Answerer, NO_ANSWER } from '../fleet/answer-asks.ts'
import { readReply } from './read-reply.ts'
import type { RecentChanges } from './recent-changes.ts'
import type { SessionFilter, SessionsDesk } from './sessions-desk.ts'

export interface GateAnswersOptions {
  /** The id of this gate, as in `SharedStore.gate`. */
  readonly gate: string
  readonly desk: Pick<SessionsDesk, 'slice' | 'find' | 'refusedUsers' | 'closing'>
  readonly changes: Pick<RecentChanges, 'after'>
  readonly findHeld: FindHeld
}

/** What gates ask each other. A name is never given another meaning: gates of two releases may meet. */
export type Asking =
  | 'sessions'
  | 'session'
  | 'refused-users'
  | 'close-session'
  | 'close-matching'
  | 'changes'
  | 'held'

/** The most entries of an answer. */
const MOST = 1_000

/** How this gate answers others. Whoever may ask may write to the store, and has the secret of all gates. */
export function createGateAnswers(options: GateAnswersOptions): Readonly<Record<Asking, Answerer>> {
  const { gate, desk, changes, findHeld } = options
  return {
    sessions: {
      answer(parameters) {
        const given = readReply(parameters)
        const limit = Math.min(Math.max(given.number('limit'), 1), MOST)
        const filter = readFilter(given.record('filter'))
        if (filter === undefined) return NO_ANSWER
        return desk.slice(filter, limit, given.text('after') ?? null)
      },
    },
    session: { answer: (parameters) => desk.find(readReply(parameters).text('id') ?? '') },
    'refused-users': { answer: () => ({ users: desk.refusedUsers(MOST) }) },
    'close-session': {
      changes: true,
      answer: (parameters) => desk.closing.held(readReply(parameters).text('id') ?? ''),
    },
    'close-matching': {
      changes: true,
      answer(parameters) {
        const given = readReply(parameters)
        const filter = readFilter(given.record('filter'))
        return filter === undefined ? NO_ANSWER : desk.closing.here(filter, given.number('before'))
      },
    },
    changes: {
      answer(parameters) {
        const marks = readReply(readReply(parameters).record('marks'))
        return changes.after(marks.text(gate) ?? '')
      },
    },
    held: { answer: (parameters) => findHeld(readReply(parameters).record('subrequest')) },
  }
}

const filters = ['channel', 'address', 'user'] as const

/**
 * Undefined where it is missing, or has what this release does not know: a filter that is understood in part
 * would mean more sessions, or all.
 */
function readFilter(value: unknown): SessionFilter | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const given = readReply(value)
  const filter: Partial<Record<keyof SessionFilter, string>> = {}
  for (const name of Object.keys(value)) {
    const known = filters.find((one) => one === name)
    const text = given.text(name)
    if (known === undefined || text === undefined) return undefined
    filter[known] = text
  }
  return filter
}
