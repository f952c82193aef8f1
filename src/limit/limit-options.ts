import type { End } from '../decision/stored.ts'
import type { Identity } from '../session/identity.ts'
import type { Session } from '../session/session.ts'
import type { UserTexts } from '../state/user-texts.ts'
import type { Subrequest } from '../subrequest.ts'
import type { Gone } from './rules.ts'
import type { TermsSettings } from './terms.ts'
import type { Cause } from './user.ts'

export interface SessionLimitOptions extends TermsSettings {
  /** SESSION_IDLE in milliseconds. */
  readonly idle: number
  readonly identify: (subrequest: Subrequest) => Identity
  /** Users of one group have ids in common: the backends of one middleware. */
  readonly groupOf: (backend: string) => string
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** As `setTimeout`; the result cancels it. */
  readonly after: (milliseconds: number, act: () => void) => () => void
  /** For so many milliseconds nginx may answer in place of the gate now. */
  readonly unseen?: () => number
  /** Ends a session for good, of the table or of the store. Resolves when that is written. */
  readonly end: (session: Session, end: End) => Promise<unknown>
  /** What the limit tells. With `SESSION_LIMIT=report` it tells what would happen. */
  readonly on: {
    /** `by` is the id of the session that made it one too many. */
    displaced(session: Session, by: string, cause: Cause): void
    /** An opening, or a request of who was put out, was refused. */
    refused(user: string): void
    /** A backend sent an `X-Max-Sessions` that is no number of sessions. */
    nonsense(backend: string, sent: string): void
    internalError(error: unknown): void
    /** The user was put out at so many networks that the name must be shared. Told once. */
    shared(user: string): void
  }
  /** Where users are kept; undefined: in this process alone. */
  readonly stored?: StoredUsers | undefined
}

/** Users beyond this process: in a folder, or those of all gates that share a store. */
export interface StoredUsers {
  readonly texts: UserTexts
  /** This gate among those that share them. */
  readonly gate: string
  /** Ends a session that this gate does not have, and tells the one that has it. */
  endElsewhere(gone: Gone): void
  /** A user was judged by this gate alone, since the store could not be heard. */
  onAlone(): void
}
