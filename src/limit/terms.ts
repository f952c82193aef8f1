import type { Grant } from '../verdict.ts'

/** Who gives way when a user has more plays than their number: the oldest play, or the latest opening. */
export type Policy = 'newest' | 'refuse'

/** What counts for one user. Plain data. */
export interface Terms {
  /** Most plays at once; at least 1. */
  readonly max: number
  readonly policy: Policy
}

/** SESSION_LIMIT. */
export const sessionLimits = ['newest', 'refuse', 'report', 'off'] as const

export interface TermsSettings {
  readonly sessionLimit: (typeof sessionLimits)[number]
  /** MAX_USER_SESSIONS: for users for whom the backend names no number. */
  readonly maxUserSessions?: number | undefined
  /** MIN_USER_SESSIONS: raises a smaller number of the backend's, but not 0. */
  readonly minUserSessions: number
}

/** A user with more has no limit: all their sessions are looked through at each opening. */
export const MOST_SESSIONS = 1_000

/**
 * Reads the terms of a user. `SESSION_LIMIT=off` beats `X-Unique: true`, which beats `refuse`. With `report`
 * the terms are those of `newest`; it is up to the caller to cut nobody. An `X-Max-Sessions` that is no
 * decimal number leaves MAX_USER_SESSIONS; 0 is no limit.
 * @param sent what the backend sent with its last allow; undefined where a header was missing
 * @returns `terms`: undefined, the session counts for nobody. `nonsense`: an `X-Max-Sessions` that is not
 * obeyed, no decimal number or above `MOST_SESSIONS`
 */
export function readTerms(
  { userId = '', maxSessions, unique = '' }: { readonly [header in keyof Grant]?: string | undefined },
  { sessionLimit, maxUserSessions = 0, minUserSessions }: TermsSettings,
): { readonly terms: Terms | undefined; readonly nonsense: string | undefined } {
  const sent = maxSessions !== undefined && /^\d+$/.test(maxSessions) ? Number(maxSessions) : undefined
  const isObeyed = sent === undefined ? maxSessions === undefined : sent <= MOST_SESSIONS
  const nonsense = isObeyed ? undefined : maxSessions
  const max = sent === undefined || sent === 0 ? (sent ?? maxUserSessions) : Math.max(sent, minUserSessions)
  if (sessionLimit === 'off' || max === 0 || max > MOST_SESSIONS || !isUser(userId))
    return { terms: undefined, nonsense }
  const policy = sessionLimit === 'refuse' && !/^(?:true|1)$/i.test(unique) ? 'refuse' : 'newest'
  return { terms: { max, policy }, nonsense }
}

const nobody = new Set(['', '0', '-', 'null', 'guest'])

/** Whether an `X-UserId` names a user. A name that a backend gives to everybody does not. */
export function isUser(userId: string): boolean {
  return !nobody.has(userId.toLowerCase())
}
