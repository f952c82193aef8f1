import type { Terms } from './terms.ts'
import type { Times } from './times.ts'

/** What the rules know of one session. Texts are compared only for equality, so hashes will do. */
export interface LimitedSession {
  readonly id: string
  /** Address, player and playback id, or the secret of a session cookie: tells viewers apart. */
  readonly viewer: string
  /** The client's address, or its group. */
  readonly address: string
  /** Site and User-Agent, without the playback id: some players make a new one for each try. */
  readonly player: string
  /** The playback id; empty where there is none. */
  readonly playback: string
  /** The canonical query and the path credential; empty where the request carried no credential. */
  readonly credential: string
  /** From `placeOf`. */
  readonly place: string
  /** One long response, as MPEG-TS or a film: its silence says nothing before SESSION_IDLE. */
  readonly once: boolean
}

/** A session that has entered the limit. Times are whole milliseconds of one clock. */
export interface Entry extends LimitedSession {
  /** When its viewer came to this place. */
  readonly entered: number
  /** The last request that it answered. */
  readonly seen: number
  /** When `seen` was told last. */
  readonly looked: number
  /** The latest three times when its viewer came to this place, oldest first. */
  readonly visits: readonly number[]
  /** Resumed without a credential: it gives way to all others. */
  readonly tokenless: boolean
}

export type EndReason = 'displaced' | 'closed' | 'denied'

/** A session that was ended, and must not come back under its id. */
export interface Mark {
  readonly id: string
  readonly why: EndReason
  readonly at: number
  readonly until: number
  /** The session that displaced it; empty for other ends. */
  readonly by: string
}

/**
 * How a play was displaced. `other`: by another viewer. `moved`: by the same player with the same credential
 * at another address. `zap`: by its own viewer, who went to another place. `beside`: by its own viewer, who
 * played at two places at once.
 */
export const causes = ['other', 'moved', 'zap', 'beside'] as const
export type Cause = (typeof causes)[number]

/** A session that was displaced while it played: what keeps its player out for a time. */
export interface Hold {
  readonly address: string
  readonly player: string
  readonly credential: string
  readonly place: string
  readonly cause: Cause
  /** The session that displaced it. */
  readonly by: string
  /** The very same URL stays out until then, while there is no room. */
  readonly urlUntil: number
  /** The come-back: the same player at the same address and place stays out until then, with any URL. */
  readonly comeBackUntil: number
  /** When it was displaced, oldest first. */
  readonly times: readonly number[]
  /** As in the entry that was displaced. */
  readonly visits: readonly number[]
}

/** All that the rules know of one user: plain data, never changed in place. */
export interface User {
  readonly entries: readonly Entry[]
  readonly marks: readonly Mark[]
  readonly holds: readonly Hold[]
  /** From which addresses the user was displaced in the last minute. */
  readonly cuts: readonly { readonly address: string; readonly at: number }[]
  /** Until then the limit is suspended, since the name is shared; 0 = it is not. */
  readonly sharedUntil: number
  /** Those of the last allow; undefined before the first. */
  readonly terms: Terms | undefined
}

/** A user of whom nothing is known. */
export const nobody: User = {
  entries: [],
  marks: [],
  holds: [],
  cuts: [],
  sharedUntil: 0,
  terms: undefined,
}

/** For how long displaced addresses are counted together, and quick moves. */
export const MINUTE = 60_000

/**
 * A session has ended or gone silent. An end by the operator or by the backend leaves a mark: the session
 * does not come back under its id.
 */
export function leave(
  user: User,
  now: number,
  id: string,
  why: 'idle' | 'closed' | 'denied',
  times: Times,
): User {
  const entries = user.entries.filter((entry) => entry.id !== id)
  if (why === 'idle') return { ...user, entries }
  const mark: Mark = { id, why, at: now, until: now + times.mark, by: '' }
  return { ...user, entries, marks: [...user.marks.filter((one) => one.id !== id), mark] }
}

/** A re-check has brought new terms. They count from the next look or opening. */
export function withTerms(user: User, terms: Terms): User {
  return { ...user, terms }
}

/**
 * The user by another clock: all times moved by so many milliseconds. A state that outlives its process
 * comes back under a monotonic clock that begins anew.
 */
export function movedBy(user: User, by: number): User {
  // 0 is none.
  const until = (time: number): number => (time === 0 ? 0 : time + by)
  return {
    ...user,
    entries: user.entries.map((entry) => ({
      ...entry,
      entered: entry.entered + by,
      seen: entry.seen + by,
      looked: entry.looked + by,
      visits: entry.visits.map((time) => time + by),
    })),
    marks: user.marks.map((mark) => ({ ...mark, at: mark.at + by, until: mark.until + by })),
    holds: user.holds.map((hold) => ({
      ...hold,
      urlUntil: until(hold.urlUntil),
      comeBackUntil: until(hold.comeBackUntil),
      times: hold.times.map((time) => time + by),
      visits: hold.visits.map((time) => time + by),
    })),
    cuts: user.cuts.map(({ address, at }) => ({ address, at: at + by })),
    sharedUntil: until(user.sharedUntil),
  }
}
