/** How long the latest questions took. The memory is bounded. */
interface LatestTimes {
  /** @param took milliseconds @param now monotonic milliseconds */
  note(took: number, now: number): void
  /** How many there were since the last call. */
  count(): number
  /**
   * Quantiles of the last minute, in milliseconds: one for each of `parts` (0 to 1). Null when no question
   * was asked.
   */
  quantiles(parts: readonly number[], now: number): (number | null)[]
}

/** The most times that are kept. When a minute has more questions, only the latest count. */
const KEPT = 4096
/** Milliseconds. */
const MINUTE = 60_000

/** Creates an empty record of times. */
export function createLatestTimes(): LatestTimes {
  const times = new Float64Array(KEPT)
  const moments = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY)
  let next = 0
  let counted = 0
  return {
    note(took, now) {
      times[next] = took
      moments[next] = now
      next = (next + 1) % KEPT
      counted++
    },
    count() {
      const since = counted
      counted = 0
      return since
    },
    quantiles(parts, now) {
      const sorted = times.filter((_, place) => now - (moments[place] ?? 0) <= MINUTE).sort()
      return parts.map((part) => sorted[Math.ceil(part * sorted.length) - 1] ?? null)
    },
  }
}
