import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import { endSession } from './keep.ts'
import type { Memory } from './memory.ts'

/**
 * The session that answers this request, if any. One that a backend allowed goes before a provisional one.
 */
export function findSession(memory: Memory, identity: Identity, now: number): Session | undefined {
  for (;;) {
    const allowed = memory.sessions.find(identity, now)
    if (allowed !== undefined) memory.provisional.keep(identity, now)
    const session = allowed ?? memory.provisional.find(identity, now)
    if (session === undefined || !memory.outage.hasExpired(session, now)) return session
    endSession(memory, session, 'expired')
  }
}
