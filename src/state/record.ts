import type { Limited } from '../decision/limit.ts'
import type { End } from '../decision/stored.ts'
import { type UnavailableReason, unavailableReasons } from '../verdict.ts'
import { flag, number, numberOrNull, object, oneOf, readJson, type Shape, text } from './shape.ts'

/**
 * A session as a store keeps it: plain data, from which another process builds the session again. What the
 * settings say of a request (its channel, its canonical query, its scope) is not in it, but read again.
 *
 * Times are milliseconds since 1970 by the clock of the store. A release adds fields only as optional ones,
 * so that the release before it and the one after it can read its records.
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
  /** What counts for its user, with times of the store; nothing for one without a limit. */
  readonly limited?: Limited
  /** 1 for a session that was never silent; each resuming adds one. */
  readonly part: number
  /** Its end was told: it is silent, and counts only after it is resumed. */
  readonly silent: boolean
  /** The counter of the store when it opened; missing in records of the release before. */
  readonly number?: number
}

// A later release may have more reasons. The times count, not the word.
const reason: Shape<UnavailableReason> = (given) =>
  typeof given === 'string' ? (unavailableReasons.find((known) => known === given) ?? 'internal') : undefined

const limited: Shape<Limited> = object({ user: text, entered: number }, { maxSessions: text, unique: text })

const record: Shape<SessionRecord> = object(
  {
    ...{ id: text, viewer: text, origin: text, path: text, query: text, userAgent: text, playbackId: text },
    ...{ user: text, openedAt: number, lastSeen: number, activeAt: number, requests: number },
    ...{ dueAt: numberOrNull, allowedAt: number, resumeFor: number, part: number, silent: flag },
  },
  {
    ...{ address: text, cookies: text, isStrict: flag, onlyFrom: text, site: text, number },
    ...{ limited, failure: object({ reason, at: number, holdsUntil: number }) },
  },
)

/** A record of this release, of the one before or of the one after; undefined when it is none. */
export function readRecord(json: string): SessionRecord | undefined {
  return readJson(json, record)
}

/** What stands in the place of the record of a session that has ended for good. */
export interface EndRecord {
  readonly ended: End
  readonly number: number
}

const end: Shape<End> = object(
  { why: oneOf(['closed', 'denied', 'displaced', 'shared'] as const) },
  { by: text, cause: oneOf(['other', 'moved', 'beside'] as const) },
)
const endRecord: Shape<EndRecord> = object({ ended: end, number })

export const readEnd = end

/** Undefined when it is none. */
export function readEndRecord(json: string): EndRecord | undefined {
  return readJson(json, endRecord)
}

/** The keys of the cookies of a record. */
export function cookiesOf({ cookies = '' }: Pick<SessionRecord, 'cookies'>): string[] {
  return cookies.split(' ').filter((key) => key !== '')
}
