/** How long the latest questions took; bounded, however many there are. */
export interface LatestTimes {
  /** @param took milliseconds @param now monotonic milliseconds */
  note(took: number, now: number): void
  /** Since the last call. */
  count(): number
  /** The time that this part (0 to 1) of the last minute's questions did not exceed, for each part; null when none was asked. */
  quantiles(parts: readonly number[], now: number): (number | null)[]
}

/** Where more are asked in a minute, the latest ones count. */
const KEPT = 4096
/** Milliseconds. */
const MINUTE = 60_000

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
