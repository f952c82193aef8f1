import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision, Outcome } from '../verdict.ts'
import type { DecideOptions } from './decide.ts'
import { findSession } from './find-session.ts'
import type { Keep } from './keep.ts'
import type { SessionLimit } from './limit.ts'
import type { Memory } from './memory.ts'
import { createRestore, type Resumed } from './restore.ts'
import type { Recalled, Return } from './stored.ts'
import type { Terms } from './terms.ts'

/** The answer of a session that does not count for its user yet: with this request it does. */
export type FirstPlay = (
  limit: SessionLimit,
  session: Session,
  identity: Identity,
  subrequest: Subrequest,
  now: number,
  as?: Return,
) => Decision | Promise<Decision>

interface RecallOrAskOptions
  extends Required<Pick<DecideOptions, 'clock' | 'newSessionId' | 'after' | 'onDecision'>> {
  readonly memory: Memory
  readonly terms: Terms
  readonly keep: Keep
  readonly answerBy: (session: Session, identity: Identity, now: number, as?: Return) => Decision
  readonly firstPlay: FirstPlay
  readonly overLimit: (subrequest: Subrequest) => Decision
  readonly askAbout: (session: Session) => Promise<Outcome>
  /** Asks about the request. `repeats`: whether a deny may answer the next such request, too. */
  readonly question: (
    identity: Identity,
    subrequest: Subrequest,
    began: number,
    repeats?: boolean,
  ) => Promise<Decision>
}

/**
 * The store first, then the backend. When the store is late, both at once. Undefined where there is no store,
 * or it is known to be away.
 */
type RecallOrAsk = (
  identity: Identity,
  subrequest: Subrequest,
  began: number,
) => Promise<Decision> | undefined

/** The longest that a request waits for the store, beside its question; milliseconds. */
const MOST_PATIENT = 1_000
/** Only a request that is not older than this may cause a second question; milliseconds. */
const TIME_FOR_TWO = 500

export function createRecallOrAsk(options: RecallOrAskOptions): RecallOrAsk {
  const { memory, keep, clock, after, answerBy, question, onDecision } = options
  const { stored } = memory
  if (stored === undefined) return () => undefined
  const restore = createRestore({ ...options, stored })

  /** Undefined when it takes longer, in milliseconds. */
  const within = <Result>(longest: number, result: Promise<Result>): Promise<Result | undefined> =>
    new Promise((resolve, reject) => {
      const cancel = after(longest, () => resolve(undefined))
      result.finally(cancel).then(resolve, reject)
    })

  const recallOrAsk = async (
    recalling: Promise<Recalled | undefined>,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision> => {
    const recalled = await within(stored.timeout, recalling)
    if (recalled !== undefined)
      return (await returned(recalled, identity, subrequest, began)) ?? question(identity, subrequest, began)
    return askAndRecall(recalling, identity, subrequest, began)
  }

  /** The store is late. */
  const askAndRecall = async (
    recalling: Promise<Recalled | undefined>,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision> => {
    // A deny is not remembered: the store might have known better, and it answers again soon.
    const decision = await question(identity, subrequest, began, false)
    // Only a session can let it in now: one with a credential, too, since credentials die while viewers play.
    if (decision.verdict === 'allow') return decision
    const found = await within(MOST_PATIENT - (clock() - began), recalling)
    return (found && (await returned(found, identity, subrequest, began))) ?? decision
  }

  /** The answer of a session of the store, or of the question about it. */
  const returned = async (
    recalled: Recalled,
    identity: Identity,
    subrequest: Subrequest,
    began: number,
  ): Promise<Decision | undefined> => {
    const adopted = restore.adopt(recalled)
    const askUntil = began + TIME_FOR_TWO
    const playing = findSession(memory, identity, clock())
    const { session, outcome, isOwn, isOverLimit }: Resumed =
      playing === undefined
        ? await restore.resume(recalled, identity, askUntil, subrequest.isHead === true)
        : { session: playing }
    const now = clock()
    const tell = (decision: Decision): Decision => {
      const backend = outcome?.backend ?? ''
      const occasion = outcome === undefined ? 'return' : 'question'
      onDecision({ subrequest, decision, backend, occasion, took: now - began })
      return decision
    }
    // Not even a crash may bring back what has given way.
    await memory.limit?.written()
    if (session !== undefined) {
      const as = playing === undefined ? 'resumed' : adopted.has(playing.id) ? 'adopted' : undefined
      if (memory.limit?.waiting.has(session.id))
        return options.firstPlay(memory.limit, session, identity, subrequest, now, as)
      return tell(answerBy(session, identity, now, as))
    }
    if (isOverLimit) return options.overLimit(subrequest)
    if (outcome === undefined) return undefined
    const repeats = isOwn === true || outcome.kind !== 'deny'
    // A deny that is not about this request is none of it, but there may be no time for another question.
    if (!repeats && now <= askUntil) return undefined
    const sessionId = options.newSessionId()
    return tell(await keep.fromQuestion(identity, subrequest, sessionId, outcome, now, repeats))
  }

  return (identity, subrequest, began) => {
    const recalling = stored.recall(identity)
    return recalling && recallOrAsk(recalling, identity, subrequest, began)
  }
}
