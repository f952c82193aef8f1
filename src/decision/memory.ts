import type { Denials } from '../session/denials.ts'
import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { SessionEnd, SessionTable } from '../session/session-table.ts'
import type { Outage } from './outage.ts'

/** What is remembered of past decisions. */
export interface Memory {
  /** Sessions that a backend allowed. */
  readonly sessions: SessionTable
  /** Sessions that the default action let in: a bound of their own, so that an outage evicts no allowed viewer. */
  readonly provisional: SessionTable
  readonly denials: Denials
  /** When the backend was away: what an allow is worth without it. */
  readonly outage: Outage
}

/** The session that answers this request, if any: what a backend allowed counts more than what the default action let in. */
export function findSession(memory: Memory, identity: Identity, now: number): Session | undefined {
  for (;;) {
    const allowed = memory.sessions.find(identity, now)
    if (allowed !== undefined) memory.provisional.keep(identity, now)
    const session = allowed ?? memory.provisional.find(identity, now)
    if (session === undefined || !memory.outage.hasOutlasted(session, now)) return session
    endSession(memory, session, 'expired')
  }
}

export function endSession(memory: Memory, session: Session, why: SessionEnd): void {
  const table = session.provisional ? memory.provisional : memory.sessions
  table.end(session, why)
}
