import type { End } from '../decision/stored.ts'
import type { UserLimit } from '../limit/session-limit.ts'
import { causes } from '../limit/user.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionTable } from '../session/session-table.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { GateEvents } from './observers.ts'

/**
 * The parts that end sessions, or want to know of it. They are built around each other, so each is asked for
 * late.
 */
interface SessionEndsOptions {
  readonly notify: Pick<GateEvents, 'ended' | 'internalError'>
  readonly store: () => SessionStore | undefined
  readonly limit: () => UserLimit | undefined
  /** The sessions that a backend has allowed. */
  readonly sessions: () => SessionTable
}

/** Who is told what when a session ends. */
interface SessionEnds {
  /** A session has left its table. */
  ended(session: Session, why: SessionEnd): void
  /** Another gate has ended a session of this one. */
  endedElsewhere(session: Session, end: End): void
  /** The limit ends a session, of the table or of the store. Resolves when that is written. */
  endFor(session: Session, end: End): Promise<void>
}

export function createSessionEnds(options: SessionEndsOptions): SessionEnds {
  const { notify, store, limit, sessions } = options

  return {
    ended(session, why) {
      const isSilence = why === 'idle' || why === 'evicted' || why === 'expired'
      if (!isSilence) limit()?.ended(session, why)
      const tell = (how: SessionEnd): void => {
        // The others want to know how it stands in the store and with its user.
        notify.ended(session, how)
        if (isSilence) limit()?.ended(session, how)
      }
      const stored = session.provisional ? undefined : store()
      if (stored === undefined) tell(why)
      else stored.ended(session, why, tell)
    },
    endedElsewhere(session, end) {
      const { id } = session
      if (end.why === 'displaced')
        limit()?.displacedElsewhere({
          id,
          by: end.by ?? '',
          cause: causes.find((one) => one === end.cause) ?? 'other',
        })
      // The limit may not count it.
      if (!session.ended) sessions().end(session, end.why)
    },
    async endFor(session, end) {
      const written = store()?.end(session, end)
      // One that only the store holds is in no table, but its start was told.
      if (session.ended) notify.ended(session, end.why)
      else sessions().end(session, end.why)
      await written
    },
  }
}
