import { isFields } from '../state/read-record.ts'
import type { Message, SharedStore } from '../state/shared-store.ts'
import type { Reply } from './collect.ts'

/** The parameters of a question, as another gate has sent them: it may be of another release. */
export type Parameters = Readonly<Record<string, unknown>>

/** A question that this release does not understand. It is not answered, so that who asks sees that. */
export const NO_ANSWER = Symbol('no answer')

/** How this gate answers one kind of question. The result is plain data, or `NO_ANSWER`. */
export interface Answerer {
  answer(parameters: Parameters): unknown
  /** It changes something, and is done also when it comes so late that nobody waits for the answer. */
  readonly changes?: boolean
}

export interface AnswerAsksOptions {
  readonly shared: Pick<SharedStore, 'gate' | 'messages' | 'replies'>
  readonly name: string
  /** By the name of the question. What is not in it is not answered. */
  readonly answerers: Readonly<Record<string, Answerer>>
  /** Milliseconds of store time. */
  readonly now: () => number
  readonly onInternalError: (error: unknown) => void
}

/** A question that is older than this has nobody who waits for the answer; milliseconds. */
const LATE = 2_000

/** The message that asks all gates. */
export function askOf(ask: string, what: string, parameters: Parameters, at: number): Message {
  return { kind: 'ask', ask, what, parameters, at }
}

/** From now on this gate answers what others ask. The result ends that. */
export function answerAsks(options: AnswerAsksOptions): () => void {
  const { shared, name, answerers, now, onInternalError } = options
  let isOver = false

  const answer = async (ask: string, answerer: Answerer, parameters: Parameters, late: boolean) => {
    try {
      const value = (await answerer.answer(parameters)) ?? null
      if (value === NO_ANSWER) return
      const reply: Reply = { gate: shared.gate, name, value }
      // Who asked notices a missing answer.
      if (!late) await shared.replies.answer(ask, JSON.stringify(reply)).catch(() => {})
    } catch (error) {
      onInternalError(error)
    }
  }

  shared.messages.onMessage(({ kind, ask, what, parameters, at }, from) => {
    if (isOver || kind !== 'ask' || from === shared.gate) return
    if (typeof ask !== 'string' || typeof what !== 'string' || !isFields(parameters)) return
    const answerer = Object.hasOwn(answerers, what) ? answerers[what] : undefined
    if (answerer === undefined) return
    const late = typeof at === 'number' && now() - at > LATE
    if (!late || answerer.changes === true) void answer(ask, answerer, parameters, late)
  })
  return () => {
    isOver = true
  }
}
