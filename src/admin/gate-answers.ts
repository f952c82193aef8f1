import type { FindHeld } from '../explain/find-held.ts'
import type { Answerer } from '../fleet/answer-asks.ts'
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
        return desk.slice(readFilter(given.record('filter')), limit, given.text('after') ?? null)
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
        // Without it nothing is meant: what a later release says in another way must not close all.
        const filter = given.record('filter')
        if (filter === undefined) return { closed: 0 }
        return desk.closing.here(readFilter(filter), given.number('before'))
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

function readFilter(value: unknown): SessionFilter {
  const given = readReply(value)
  const filter: Partial<Record<keyof SessionFilter, string>> = {}
  for (const name of ['channel', 'address', 'user'] as const) {
    const text = given.text(name)
    if (text !== undefined) filter[name] = text
  }
  return filter
}
