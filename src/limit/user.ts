import type { Terms } from './terms.ts'

/** What the rules know of one session. Texts are compared only for equality, so hashes will do. */
export interface LimitedSession {
  readonly id: string
  /** The client's address, or its group, and the player: site, User-Agent and playback id. */
  readonly viewer: string
  readonly address: string
  /** Site and User-Agent, without the playback id: some players make a new one for each try. */
  readonly player: string
  /** Empty where there is none. */
  readonly playback: string
  /** A session cookie that a request has brought back; empty where none has. */
  readonly cookie: string
  /** The canonical query and the path credential; empty where the opening carried no credential. */
  readonly credential: string
  readonly place: string
  /** One long response, as MPEG-TS or a film: its silence says nothing before SESSION_IDLE. */
  readonly once: boolean
}

/** A session that counts. Times are whole milliseconds of one clock. */
export interface Entry extends LimitedSession {
  /** Equal for all sessions of one viewer. */
  readonly person: string
  /** Since when it has been asked for without a pause. */
  readonly since: number
  readonly seen: number
  /** The gate that has told it last. */
  readonly gate: string
  /** For so long nginx may answer in place of the gate; 0 = never. */
  readonly unseen: number
  /** With SESSION_LIMIT=report: it would have been put out. It counts no more. */
  readonly told: boolean
}

/** By others; by the same player with the same link elsewhere; by a further channel of the same viewer. */
export const causes = ['other', 'moved', 'beside'] as const
export type Cause = (typeof causes)[number]

/** Who was put out: this player at this address stays out of this place until then, while there is no room. */
export interface Out {
  readonly address: string
  readonly player: string
  /** Empty: out of all places. */
  readonly place: string
  readonly cause: Cause
  /** The session that was put out, and the one that made it one too many. */
  readonly id: string
  readonly by: string
  readonly at: number
  readonly until: number
}

/** All that the rules know of one user: plain data, never changed in place. */
export interface User {
  /** Those of the last allow; undefined before the first. */
  readonly terms: Terms | undefined
  readonly entries: readonly Entry[]
  readonly outs: readonly Out[]
}

export const nobody: User = { terms: undefined, entries: [], outs: [] }

/** What the rules count by; whole milliseconds. */
export interface LimitSettings {
  /** SESSION_IDLE: silence that ends a session. */
  readonly idle: number
  /** How old the news of a session at another gate, or before a restart, may be; 0 where there is none. */
  readonly report: number
  /** This gate; empty where it is the only one. */
  readonly gate: string
  /** For so long nginx may answer in place of this gate now. */
  readonly unseen: number
  /** SESSION_LIMIT=report: nobody is put out or refused. */
  readonly isReport: boolean
}

const SECOND = 1_000
export const MINUTE = 60 * SECOND

export type Times = ReturnType<typeof timesOf>

/**
 * The times of the rules, in whole milliseconds. They grow by the time for which nginx may answer in place of
 * a gate, whatever session of the user it is.
 */
export function timesOf({ report, unseen }: LimitSettings, entries: readonly Entry[]) {
  const hidden = Math.max(unseen, ...entries.map((entry) => entry.unseen))
  const pause = 20 * SECOND + hidden
  return {
    /** Who pauses for so long has left; who was put out stays out until they have not tried for so long. */
    pause,
    /** Who is silent for so long goes first, and is in nobody's way. A late report is no silence. */
    silent: Math.max(30 * SECOND, report + 15 * SECOND) + hidden,
    /** A further channel counts that was asked for so long without a pause. Longer than `recent`. */
    stay: MINUTE + hidden,
    /** What was asked for so recently is asked for now. */
    recent: pause + report,
    /** Back on a former address: so much silence of the same player elsewhere is room. */
    back: 12 * SECOND + hidden + report,
  }
}

/** The user by another clock: all times moved by so many milliseconds. */
export function movedBy(user: User, by: number): User {
  return {
    ...user,
    entries: user.entries.map((one) => ({ ...one, since: one.since + by, seen: one.seen + by })),
    outs: user.outs.map((one) => ({ ...one, at: one.at + by, until: one.until + by })),
  }
}
