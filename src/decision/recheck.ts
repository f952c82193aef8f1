import type { Session } from '../session/session.ts'
import type { Question } from '../subrequest.ts'
import type { Outcome } from '../verdict.ts'
import type { DecideOptions } from './decide.ts'
import type { Keep } from './keep.ts'

/** Asks again about known sessions, each with the request that opened it. */
interface Recheck {
  /** Asks about a playing session. No viewer waits for it. */
  start(session: Session, now: number): void
  /** Asks about a silent session, which its viewer waits for. */
  ask(session: Session): Promise<Outcome>
}

export function createRecheck(options: DecideOptions, keep: Keep): Recheck {
  const { ask, identify, sessions, outage, stored, clock } = options

  const start = (session: Session, now: number): void => {
    const finished = recheck(session, now).catch(options.onInternalError)
    options.onRecheck?.(finished)
  }

  const recheck = async (session: Session, began: number): Promise<void> => {
    const knownViewer = session.provisional ? undefined : session.viewer
    const outcome = await askAbout(session, 're-check', knownViewer, began)
    if (outcome.kind !== 'deny') return
    // The viewer may have a session for each playlist of a channel. Each would still answer one request
    // before its own re-check, so all that are due are re-checked now.
    const now = clock()
    for (const other of sessions.overdue(session.viewer, now)) start(other, now)
  }

  /** Keeps the outcome. */
  const askAbout = async (
    session: Session,
    occasion: Question['occasion'],
    knownViewer: string | undefined,
    began: number,
  ): Promise<Outcome> => {
    const subrequest = session.opener()
    const { credential } = identify(subrequest)
    session.checking = true
    try {
      const outcome = await ask({ subrequest, sessionId: session.id, occasion, credential, knownViewer })
      // Too many questions of its address are under way: the session stays due.
      if (outcome.kind === 'refused') return outcome
      outage.note(outcome, clock())
      // Not even a crash may bring back what a backend has denied.
      if (outcome.kind === 'deny' && !session.provisional) await stored?.end(session, { why: 'denied' })
      const now = clock()
      const decision = keep.fromRecheck(session, outcome, now)
      const { backend } = outcome
      options.onDecision({ subrequest, decision, backend, occasion: 're-check', took: now - began })
      return outcome
    } finally {
      session.checking = false
    }
  }

  return { start, ask: (session) => askAbout(session, 'resume', session.viewer, clock()) }
}
