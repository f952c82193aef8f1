import { randomBytes } from 'node:crypto'
import type { Subrequest } from '../subrequest.ts'
import type { UnavailableReason } from '../verdict.ts'
import type { Identity, Target } from './identity.ts'

/** One viewer playing one channel: what a past allow opened. Times are milliseconds of the monotonic clock. */
export interface Session {
  /** Random, the same for the life of the session; `X-Session-Id` for the backend and for nginx's log. */
  readonly id: string
  readonly viewer: string
  readonly target: Target
  /** The canonical query of the request that opened it. */
  readonly query: string
  /** The request that opened it: every re-check asks with it. */
  readonly opener: Subrequest
  /** Opened by the default action, not by a backend. */
  provisional: boolean
  userId: string
  lastSeen: number
  /** From then on the next request starts a re-check. */
  dueAt: number
  /** Past this the verdict no longer holds, even while the backend is unavailable. */
  holdsUntil: number
  /** A re-check is on its way. */
  checking: boolean
  /** Why the last re-check gave no answer, and when it did not. */
  failure: { readonly reason: UnavailableReason; readonly at: number } | undefined
  ended: boolean
  /** The viewer's next older session; kept by the table. */
  older: Session | undefined
}

/** 128 random bits: unguessable, short enough for headers and logs. */
export function newSessionId(): string {
  return randomBytes(16).toString('base64url')
}

/** A session that nobody has granted anything yet. */
export function createSession(identity: Identity, opener: Subrequest, id: string, now: number): Session {
  return {
    id,
    viewer: identity.viewer,
    target: identity.target,
    query: identity.query,
    opener,
    provisional: false,
    userId: '',
    lastSeen: now,
    dueAt: now,
    holdsUntil: now,
    checking: false,
    failure: undefined,
    ended: false,
    older: undefined,
  }
}
