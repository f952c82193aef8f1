import type { Limited } from '../decision/limit.ts'
import type { UnavailableReason } from '../verdict.ts'

/**
 * A session as a store keeps it: plain data, from which another process builds the session again. What the
 * settings say of a request (its channel, its canonical query, its scope) is not in it, but read again.
 *
 * Times are milliseconds of store time (store-time.ts). A release adds fields only as optional ones, so that
 * the release before it and the one after it can read its records.
 */
export interface SessionRecord {
  readonly id: string
  /** Client and profile key, as in an identity. */
  readonly viewer: string
  /** The client address of the last request; missing where it is all of the client in `viewer`. */
  readonly address?: string
  /** What it has of session cookies: their keys, separated by spaces, and whether it is strict. */
  readonly cookies?: string
  readonly isStrict?: boolean
  /** It answers the cookie from this client alone. */
  readonly onlyFrom?: string
  /** No session but a way to one: see cookie-ways.ts. The viewer of that session. */
  readonly leadsTo?: string
  readonly origin: string
  /** Missing where the origin itself is the site. */
  readonly site?: string
  readonly path: string
  /** The query of the request that opened it, as sent: it holds the token. */
  readonly query: string
  readonly userAgent: string
  readonly playbackId: string
  /** Empty when the backend named nobody. */
  readonly user: string
  readonly openedAt: number
  /** When it last answered a request, or its own URL was requested. */
  readonly lastSeen: number
  /** As `lastSeen`, or when another session answered in its place. */
  readonly activeAt: number
  readonly requests: number
  /** When the next re-check is due; null = never. */
  readonly dueAt: number | null
  /** The last re-check, if it got no answer. */
  readonly failure?: { readonly reason: UnavailableReason; readonly at: number; readonly holdsUntil: number }
  /** When a backend last allowed it. */
  readonly allowedAt: number
  /** How long after its last request it may be resumed, in milliseconds. */
  readonly resumeFor: number
  /** What counts for its user, with `entered` in store time; nothing for one without a limit. */
  readonly limited?: Limited
  /** 1 for a session that was never silent; each resuming adds one. */
  readonly part: number
  /** Its end was told: it is silent, and counts only after it is resumed. */
  readonly silent: boolean
}
