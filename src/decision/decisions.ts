import type { Session } from '../session/session.ts'
import type { Decision, Reason, Source, UnavailableReason } from '../verdict.ts'

/** An allow on the strength of a session; holds until the session's next re-check is due. */
export function allowedBy(
  session: Session,
  source: Source,
  reason: Reason,
  now: number,
  cacheable: boolean,
): Decision {
  const { id: sessionId, userId } = session
  const holdsFor = Math.max(0, session.dueAt - now)
  return { verdict: 'allow', source, reason, sessionId, userId, holdsFor, cacheable }
}

/** What a session is worth while its backend gives no answer. */
export function allowedWithout(
  session: Session,
  reason: UnavailableReason,
  now: number,
  cacheable: boolean,
): Decision {
  const source = session.provisional ? 'default' : 'stale'
  return allowedBy(session, source, `unavailable-${reason}`, now, cacheable)
}

export function denied(
  sessionId: string,
  source: Source,
  reason: Reason,
  holdsFor: number,
  cacheable: boolean,
): Decision {
  return { verdict: 'deny', source, reason, sessionId, userId: '', holdsFor, cacheable }
}

/** The same deny again: it keeps its id, and a deny by default keeps telling that the backend was unavailable. */
export function repeated(decision: Decision, holdsFor: number, cacheable: boolean): Decision {
  if (decision.source !== 'backend') return { ...decision, holdsFor, cacheable }
  return { ...decision, source: 'session', reason: 'remembered', holdsFor, cacheable }
}
