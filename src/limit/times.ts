/** The settings that the rules count by; whole milliseconds. */
export interface LimitSettings {
  /** SESSION_LIMIT_GRACE: a place that its viewer has left does not count after so long. */
  readonly grace: number
  /** SESSION_LIMIT_HOLD: how long the URL of a displaced play stays out after its last try. */
  readonly hold: number
  /** SESSION_IDLE: silence that ends a session. */
  readonly idle: number
  /** How often `look` is told what is still requested. In one gate a few seconds. */
  readonly report: number
}

/** All times of the rules; whole milliseconds. */
export interface Times extends LimitSettings {
  /** A play that was silent for so long is room for others, and enters anew when it comes back. */
  readonly quiet: number
  /** A left play that was silent for so long enters anew when it comes back. */
  readonly back: number
  /** A play that is entered again and again is left only after so much silence. */
  readonly polled: number
  /** How long the same player stays out of the same place, whatever its URL, after its last try. */
  readonly comeBack: number
  /** How long an ended session is known as ended. */
  readonly mark: number
}

const QUIET = 30_000
/** What silence must exceed the interval of reports by, so that a late report is no silence. */
const BEYOND_REPORT = 15_000
const COME_BACK = 20_000

export function timesOf(settings: LimitSettings): Times {
  const { grace, idle, report } = settings
  return {
    ...settings,
    quiet: Math.max(QUIET, report + BEYOND_REPORT),
    // Between two reports a viewer who goes on looks silent for one interval and a segment.
    back: Math.max(grace, 2 * report),
    polled: Math.floor(idle / 2),
    comeBack: COME_BACK,
    mark: 2 * idle + 60_000,
  }
}
