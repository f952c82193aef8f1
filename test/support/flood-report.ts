/** What a flood of bad tokens did. Memory in MiB, heap after a collection. */
export interface FloodReport {
  /** With the live sessions, before the flood. */
  readonly heapBefore: number
  /** When the remembered denies had reached their bound. */
  readonly heapSettled: number
  readonly heapAfter: number
  readonly rss: number
  /** Requests of the flood, and how many of them were refused. */
  readonly sent: number
  readonly refused: number
  /**
   * Requests of viewers during the flood, and how many of them were not allowed at once by the viewer's own
   * session.
   */
  readonly played: number
  readonly lost: number
  readonly sessions: number
  readonly denials: number
  readonly seconds: number
}
