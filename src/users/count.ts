import { readTerms, type Terms } from '../limit/terms.ts'
import type { Session } from '../session/session.ts'
import type { Grant } from '../verdict.ts'
import type { SessionLimitOptions } from './user-limit.ts'
import type { Sent } from './user-table.ts'

/** For whom a session counts, and how many they may have. */
export interface Counted {
  /** The user. */
  readonly key: string
  readonly terms: Terms
  readonly sent: Sent
}

/** Reads for whom a session counts. Undefined: nothing limits it. */
export interface Count {
  /** A backend has allowed the session. */
  by(session: Session, grant: Grant, backend: string): Counted | undefined
  /** It was allowed before, for this user. The settings of today count. */
  again(session: Session, key: string, sent: Sent): Counted | undefined
}

export function createCount(options: SessionLimitOptions): Count {
  const read = (session: Session, key: string, grant: Sent, onNonsense: (sent: string) => void) => {
    const { maxSessions, unique } = grant
    const { terms, nonsense } = readTerms({ userId: session.userId, maxSessions, unique }, options)
    if (nonsense !== undefined) onNonsense(nonsense)
    if (terms === undefined) return undefined
    const sent: Sent = {
      ...(maxSessions !== undefined && { maxSessions }),
      ...(unique !== undefined && { unique }),
    }
    return { key, terms, sent }
  }
  return {
    by: (session, grant, backend) =>
      read(session, `${options.groupOf(backend)}\n${session.userId}`, grant, (sent) =>
        options.on.nonsense(backend, sent),
      ),
    again: (session, key, sent) => read(session, key, sent, () => {}),
  }
}
