/** Counts how long questions took. Each question is counted, so a count is a search and an addition. */
interface Durations {
  /** @param took milliseconds */
  note(took: number): void
  /** Since the start. */
  read(): Distribution
}

export interface Distribution {
  /** For each bound in seconds: how many took no longer. */
  readonly buckets: readonly (readonly [bound: number, count: number])[]
  readonly count: number
  /** Seconds in all. */
  readonly sum: number
}

/** Milliseconds. */
const BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000]

/** Creates a count at zero. */
export function createDurations(): Durations {
  /** One cell for each bound, and one for what took longer. */
  const cells = new Float64Array(BOUNDS.length + 1)
  let sum = 0
  return {
    note(took) {
      let at = 0
      while (at < BOUNDS.length && took > (BOUNDS[at] ?? 0)) at++
      cells[at] = (cells[at] ?? 0) + 1
      sum += took
    },
    read() {
      let count = 0
      const buckets = BOUNDS.map((bound, at) => {
        count += cells[at] ?? 0
        return [bound / 1000, count] as const
      })
      return { buckets, count: count + (cells[BOUNDS.length] ?? 0), sum: sum / 1000 }
    },
  }
}
