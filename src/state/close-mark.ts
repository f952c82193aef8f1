/** Which sessions an operator means. Each text must be equal to that of the session; none = all sessions. */
export interface ClosedFilter {
  /** As shown: what CHANNEL_PATTERN found, else the path, without a credential. */
  readonly channel?: string
  readonly address?: string
  readonly user?: string
  /** One session. */
  readonly id?: string
}

/**
 * The operator has closed all sessions that match. It holds for those that were not in memory, too: what was
 * opened before `at` is neither adopted nor resumed.
 */
export interface CloseMark {
  readonly filter: ClosedFilter
  /** Milliseconds of store time. */
  readonly at: number
  /** Store time after which nothing is left that it could match. */
  readonly until: number
}
