/** How people watch, and the settings of the gates. Times in seconds. */
export interface Audience {
  readonly viewers: number
  /** A player asks for a playlist and a segment once in this time. */
  readonly segment: number
  /** Mean time on one channel, and of a whole visit. */
  readonly channel: number
  readonly visit: number
  /** All of them come within this time when a match begins. */
  readonly kickOff: number
  /** ALLOW_TTL; Infinity = `session`. */
  readonly allow: number
  /** SESSION_IDLE */
  readonly idle: number
  /** What SESSION_RESUME, or X-AuthDuration, leaves a silent session. */
  readonly resume: number
  /** Whether the backend names a limit, of one session for each user. */
  readonly isLimited: boolean
}

/** Evening television, with the defaults of the settings. */
export const evening: Omit<Audience, 'viewers'> = {
  segment: 6,
  channel: 600,
  visit: 3_600,
  kickOff: 300,
  allow: 60,
  idle: 120,
  resume: 900,
  isLimited: true,
}

/** A play that is left may be resumed for so long (src/state/silence.ts). */
export const LEFT = 300
/** Parts of SESSION_IDLE after which a session is reported, and a user with a limit. */
export const REPORT = 1 / 2
export const USER_REPORT = 1 / 4

/** What happens in a second, and what there is at a time. The formulas and the simulation both make one. */
export interface Load {
  /** nginx's subrequests. */
  readonly requests: number
  /** Starts of channels; each is a question. */
  readonly openings: number
  readonly rechecks: number
  /** Questions to the backends: the two together. */
  readonly questions: number
  /** Commands to Valkey. */
  readonly recalls: number
  readonly writes: number
  readonly replaces: number
  /** Sessions in the gates. */
  readonly sessions: number
  /** Records in Valkey, with those that have expired and are still there. */
  readonly records: number
  /** Openings a second while all come. */
  readonly rush: number
}
