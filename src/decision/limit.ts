import type { Identity } from '../session/identity.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Grant } from '../verdict.ts'
import type { Return } from './stored.ts'

/** What counts for the user of a session. Plain data, which the store keeps. */
export interface Limited extends Pick<Grant, 'maxSessions' | 'unique'> {
  /** The user, with the group of the backend that named them: ids of different middlewares never meet. */
  readonly user: string
  /** Since when it has been requested without a pause; milliseconds of the monotonic clock. */
  readonly entered: number
}

/** The request that opens or resumes a session. */
export interface OpenedBy {
  /** A HEAD: it does not play yet. */
  readonly isHead: boolean
  /**
   * It has no credential, and the session is not its own: perhaps it is a neighbour's. It displaces nobody.
   */
  readonly tokenless: boolean
}

/** The limit of sessions of a user, as the decision sees it. A hit never reaches it. */
export interface SessionLimit {
  /**
   * A backend has allowed a session that is not in the table yet. Ends what has to give way. False: there is
   * no place for it. A promise where other gates have to be heard, as with `refuses` and `play`.
   */
  enter(session: Session, grant: Grant, backend: string, by: OpenedBy): boolean | Promise<boolean>
  /** The same for a session of the store. One that plays and has no place is ended. */
  enterAgain(
    session: Session,
    limited: Limited | undefined,
    as: Return,
    by: OpenedBy,
  ): boolean | Promise<boolean>
  /** A backend has allowed a session of the table again. */
  renew(session: Session, grant: Grant, backend: string): void
  /**
   * Whether a request that no session answers would have been answered by one that the limit has ended, and
   * there is still no room. Then nobody is asked.
   */
  refuses(identity: Identity, now: number): boolean | Promise<boolean>
  /** The first request that plays on a session that waits. False: there is no place for it. */
  play(session: Session): boolean | Promise<boolean>
  /**
   * Sessions of the table, by id, that do not count: a HEAD has opened them, or they were silent for longer
   * than SESSION_IDLE while others answered in their place.
   */
  readonly waiting: { readonly size: number; has(id: string): boolean }
  /** Resolves when not even a crash brings back what has given way; undefined where nothing waits. */
  written(): Promise<unknown> | undefined
  /** What counts for a session of the table, for the store. */
  limitedOf(session: Session): Limited | undefined
  /** The same limit, which changes nothing and ends nobody: it says what would be. */
  rehearsal(): SessionLimit
  /** A session has left the table. */
  ended(session: Session, why: SessionEnd): void
}
