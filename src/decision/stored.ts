import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { Limited } from './limit.ts'

/** A session that the store holds and the table does not. Times are milliseconds of the monotonic clock. */
export interface StoredSession {
  readonly session: Session
  /** When a backend last allowed it. */
  readonly allowedAt: number
  /** How long after its last request it may be resumed, in milliseconds. */
  readonly resumeFor: number
  /** Whoever resumes it must come until then. */
  readonly resumableUntil: number
  /** 1, and one more for each time that it was resumed. */
  readonly part: number
  /** Its end has been told. */
  readonly silent: boolean
  /** What counted for its user. */
  readonly limited: Limited | undefined
  /** The counter of the store when it opened: the store's own. */
  readonly number: number | undefined
}

/** What the store holds of one viewer, the least recently used first. */
export interface Recalled {
  /** Not silent for longer than SESSION_IDLE: they belong into the table. */
  readonly playing: readonly StoredSession[]
  /** Silent for longer. */
  readonly silent: readonly StoredSession[]
}

/** Why a session has ended for good. */
export interface End {
  readonly why: 'closed' | 'denied' | 'displaced' | 'shared'
  /** The session that displaced it, and how. */
  readonly by?: string
  readonly cause?: 'other' | 'moved' | 'beside'
}

/** Who asks: the viewer of a request, and the key of their session cookie. */
export type Asking = Pick<Identity, 'viewer' | 'cookie'>

/** How a session of the store came back into the table. */
export type Return = 'adopted' | 'resumed'

/** The store as the decision sees it. A hit never reaches it. */
export interface Stored {
  /**
   * What the store holds of this viewer, and of who has this cookie. It changes nothing and never rejects;
   * undefined inside the promise: the store has failed. Undefined without a promise: the store is known to be
   * away, nobody waits for it.
   */
  recall(asked: Asking): Promise<Recalled | undefined> | undefined
  /** How long a request waits for `recall` before its backend is asked, in milliseconds. */
  readonly timeout: number
  /** Whether `take` would give it. */
  isFree(one: StoredSession): boolean
  /**
   * Claims a session for the table, which must get it at once. False: it is there already, or has been ended
   * meanwhile.
   */
  take(one: StoredSession, as: Return): boolean
  /** A backend has allowed a session, for the first time or again. */
  granted(session: Session, resumeFor: number): void
  /** A re-check got no answer. */
  postponed(session: Session): void
  /**
   * Removes a session for good. Resolves when not even a crash brings it back, or when the store does not
   * answer; it tries again then. It never rejects. Where a backend has denied it, all that the viewer has
   * with the same credential is due.
   */
  end(session: Pick<Session, 'id' | 'viewer'>, end: End): Promise<void>
}
