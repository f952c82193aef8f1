import type { Identity } from '../session/identity.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { Grant } from '../verdict.ts'
import type { Return } from './stored.ts'

/** What counts for the user of a session. Plain data, which the store keeps. */
export interface Limited {
  /** The user, with the group of the backend that named them: ids of different middlewares never meet. */
  readonly user: string
  /** Most plays at once. */
  readonly max: number
  readonly policy: 'newest' | 'refuse'
  /** When the viewer came to this place; milliseconds of the monotonic clock. */
  readonly entered: number
}

/** The limit of sessions of a user, as the decision sees it. A hit never reaches it. */
export interface SessionLimit {
  /**
   * A backend has allowed a session that is not in the table yet. Ends what has to give way. False: there is
   * no place for it.
   * @param isProbe a HEAD opens it: it plays only with the first other request
   */
  enter(session: Session, grant: Grant, backend: string, isProbe: boolean): boolean
  /**
   * The same for a session of the store.
   * @param tokenless the request that resumes it has no credential
   */
  enterAgain(session: Session, limited: Limited | undefined, as: Return, tokenless: boolean): boolean
  /** A backend has allowed a session of the table again. */
  renew(session: Session, grant: Grant, backend: string): void
  /**
   * Whether a request that no session answers would have been answered by one that the limit has ended, and
   * there is still no room. Then nobody is asked.
   */
  refuses(identity: Identity, now: number): boolean
  /** The first request that plays on a session that a HEAD opened. False: there is no place for it. */
  play(session: Session): boolean
  /** Sessions that a HEAD opened and nothing else has requested. */
  readonly probes: { readonly size: number; has(session: Session): boolean }
  /** Resolves when not even a crash brings back what has given way; undefined where nothing waits. */
  written(): Promise<unknown> | undefined
  /** What counts for a session of the table, for the store. */
  limitedOf(session: Session): Limited | undefined
  /** The same limit, which changes nothing and ends nobody: it says what would be. */
  rehearsal(): SessionLimit
  /** A session has left the table. */
  ended(session: Session, why: SessionEnd): void
}
