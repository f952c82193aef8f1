import type { DisplacedSession } from '../limit/displace.ts'
import type { Cause, LimitedSession, Mark } from '../limit/user.ts'
import type { Session } from '../session/session.ts'
import type { Counted } from './count.ts'
import type { DisplacedSessions } from './displaced-sessions.ts'
import type { RefusedUsers } from './refused-users.ts'
import type { SessionLimitOptions } from './user-limit.ts'
import type { KnownUser, UserTable } from './user-table.ts'

export interface GiveWayOptions
  extends Pick<SessionLimitOptions, 'sessionLimit' | 'clock' | 'end' | 'on' | 'shared'> {
  readonly users: Pick<UserTable, 'take'>
  readonly displaced: Pick<DisplacedSessions, 'add'>
  readonly refusedUsers: Pick<RefusedUsers, 'note'>
  /** By the id of the session. */
  readonly waiting: Map<string, Counted>
  readonly limitedOf: (session: Session) => LimitedSession
}

/** Ends sessions that have no place any more. With `SESSION_LIMIT=report` it tells what would end. */
export interface GiveWay {
  /** Ends a session of this gate that others play in place of. */
  displace(known: KnownUser, session: Session, by: string, cause: Cause, left?: boolean): void
  /** Ends all these; of those of other gates it tells them. */
  endAll(known: KnownUser, gone: readonly DisplacedSession[]): void
  /** Ends a session of this gate that another gate has marked as ended. */
  endMarked(known: KnownUser, session: Session, mark: Mark): void
  /** Resolves when not even a crash brings back what has given way; undefined where nothing waits. */
  written(): Promise<unknown> | undefined
}

export function createGiveWay(options: GiveWayOptions): GiveWay {
  const { users, displaced, refusedUsers, waiting, limitedOf, clock, end, on, shared } = options
  const isReport = options.sessionLimit === 'report'
  const writing = new Set<Promise<unknown>>()
  /** Sessions whose displacement was reported only. */
  const reported = new WeakSet<Session>()

  const displace: GiveWay['displace'] = (known, session, by, cause, left = false) => {
    if (reported.has(session)) return
    if (cause === 'other' && !left) refusedUsers.note(known.key, 'displaced', clock())
    on.displaced(session, by, cause)
    if (isReport) {
      reported.add(session)
      return
    }
    users.take(known, session)
    waiting.delete(session.id)
    displaced.add({ session, limited: limitedOf(session), user: known.key }, clock())
    const written = end(session, { why: 'displaced', by }).finally(() => writing.delete(written))
    writing.add(written)
  }

  return {
    displace,
    endAll(known, gone) {
      for (const one of gone) {
        const session = known.sessions.get(one.id)
        if (session !== undefined) displace(known, session, one.by, one.cause, one.left)
        else if (!isReport) shared?.tell(one)
      }
    },
    endMarked(known, session, { why, by }) {
      if (why === 'displaced') return displace(known, session, by, 'other')
      users.take(known, session)
      void end(session, { why })
    },
    written: () => (writing.size === 0 ? undefined : Promise.all(writing)),
  }
}
