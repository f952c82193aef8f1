import type { SessionLimit } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import type { UserPlays } from '../limit/describe.ts'
import type { DisplacedSession } from '../limit/displace.ts'
import type { TermsSettings } from '../limit/terms.ts'
import type { LimitSettings } from '../limit/times.ts'
import type { Cause } from '../limit/user.ts'
import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { UserValues } from '../state/shared-store.ts'
import type { Subrequest } from '../subrequest.ts'
import type { RefusedUser } from './refused-users.ts'

export interface SessionLimitOptions extends TermsSettings, Omit<LimitSettings, 'report'> {
  readonly identify: (subrequest: Subrequest) => Identity
  /** Users of one group have ids in common: the backends of one middleware. */
  readonly groupOf: (backend: string) => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** Longest time in milliseconds for which the gate does not see who plays: nginx repeats its verdicts. */
  readonly unseen?: number
  /** Ends a session for good, of the table or of the store. Resolves when that is written. */
  readonly end: (session: Session, end: End) => Promise<unknown>
  readonly on: LimitListeners
  /** What counts for the users of all gates; undefined where only those of this gate count. */
  readonly shared?: SharedUsers | undefined
}

/** The users of all gates that share a store. */
export interface SharedUsers {
  readonly values: UserValues
  /** Whole milliseconds from the monotonic clock to the time of the store. */
  readonly offset: () => number
  /** Tells the other gates of a session that has to give way, and that this gate does not have. */
  readonly tell: (gone: DisplacedSession) => void
  /** A user was judged by this gate alone, since the others could not be heard. */
  readonly onAlone: () => void
}

/** What the limit tells. With `SESSION_LIMIT=report` it tells what would happen. */
export interface LimitListeners {
  /** `by` is the id of the session that made it one too many. */
  displaced(session: Session, by: string, cause: Cause): void
  /** An opening, or a request of a displaced viewer, was refused. */
  refused(user: string): void
  /** A backend sent an `X-Max-Sessions` that is no number of sessions. */
  nonsense(backend: string, sent: string): void
  /** Our own code threw where nobody waits for it. */
  internalError(error: unknown): void
  /** The user was displaced from so many addresses that the name must be shared: the limit is suspended. */
  shared(user: string): void
}

/** A session that the limit has ended, what its user plays, and until when its URL is held. */
export interface DisplacedView extends UserPlays {
  readonly user: string
  readonly session: Session
  /** The session that made it one too many; empty where that is not known any more. */
  readonly by: string
  /** Milliseconds of the monotonic clock; 0 = it is not held. */
  readonly heldUntil: number
}

/** The limit for the decision, and what the operator may see of it. */
export interface UserLimit extends SessionLimit {
  /** Starts to look after the users; the result stops it. */
  start(): () => void
  /** Another gate says that a session has to give way, which this gate may have. */
  displacedElsewhere(gone: DisplacedSession): void
  /** What the user of a session plays; undefined for one without a limit. */
  describe(session: Session): (UserPlays & { readonly user: string }) | undefined
  /** Why a request is refused that no session answers; undefined where the limit is not why. */
  whyOut(identity: Identity): DisplacedView | undefined
  refusedUsers(most: number): readonly RefusedUser[]
  /** How many users are known. */
  count(): number
}
