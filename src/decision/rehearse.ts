import { setImmediate } from 'node:timers/promises'
import type { Identity } from '../session/identity.ts'
import { Session } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Decision } from '../verdict.ts'
import { createDecide, type DecideOptions, type DecisionMade } from './decide.ts'
import type { Denial } from './memory.ts'

/** What would be decided about a request, and what of. */
export interface Rehearsal {
  readonly identity: Identity
  /** A copy of the session that answers it, as it was before. */
  readonly session: Session | undefined
  /** What is remembered of a deny of this very request. */
  readonly denial: Denial | undefined
  readonly decision: Decision
  /** What was made of the backend's answer, where it would be asked: about the request, or about its session in the background. */
  readonly made: DecisionMade | undefined
}

/**
 * Decides as the gate would, by the very same code, over copies: no session is opened, touched or ended, nothing is kept, nobody's
 * share is taken.
 */
export async function rehearse(options: DecideOptions, subrequest: Subrequest): Promise<Rehearsal> {
  const { denials } = options
  const now = options.clock()
  const identity = options.identify(subrequest)
  const denial = denials.peek(identity, now)
  let session: Session | undefined
  let made: DecisionMade | undefined
  let answered: Promise<unknown> = Promise.resolve()

  /** Shows the sessions of the table as copies, and takes nothing in. */
  const unchanged = (table: SessionTable): SessionTable => ({
    ...table,
    find(asked, at) {
      const counts = (one: Session): boolean => !options.outage.hasOutlasted(one, at)
      const found = table.peek(asked, at, counts)
      if (found === undefined) return undefined
      session = copyOf(found)
      return copyOf(found)
    },
    keep() {},
    open() {},
    admit() {},
    end() {},
    handOver() {},
    overdue: () => [],
  })

  const decide = createDecide({
    ...options,
    ask(question) {
      const outcome = options.ask(question)
      answered = outcome
      return outcome
    },
    sessions: unchanged(options.sessions),
    provisional: unchanged(options.provisional),
    denials: { ...denials, find: denials.peek, keep() {}, forget() {} },
    outage: { ...options.outage, note() {} },
    onDecision(one) {
      made = one
    },
    onBadDuration() {},
  })
  const decision = await decide(subrequest)
  // A re-check goes on behind the decision.
  await answered
  await setImmediate()
  return { identity, session, denial, decision, made }
}

function copyOf(session: Session): Session {
  const copy = Object.assign(Object.create(Session.prototype) as Session, session)
  copy.older = undefined
  copy.heardBefore = undefined
  copy.heardAfter = undefined
  return copy
}
