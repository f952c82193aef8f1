/** How many questions may be under way at one backend: its own measure of what the backend can take. */
export interface Concurrency {
  limit(): number
  /** The backend answered in time. */
  answered(): void
  /** A question that went out at `began` (monotonic milliseconds) was not answered in time. */
  timedOut(began: number): void
  /** An outage is over: everybody comes at once, and the backend has just begun to work. */
  restart(): void
}

/** There is always room for this many, so that one slow answer does not stop all the others. */
const LEAST = 4

/**
 * Additive increase, multiplicative decrease, as TCP's congestion control (RFC 5681) has it: a timeout halves the limit, an answer adds
 * one, up to `most`. Questions that went out before a halving do not halve again: they tell of the same moment.
 */
export function createConcurrency(most: number, clock: () => number): Concurrency {
  let limit = most
  let halvedAt = Number.NEGATIVE_INFINITY
  return {
    limit: () => limit,
    answered() {
      if (limit < most) limit++
    },
    timedOut(began) {
      if (began < halvedAt) return
      halvedAt = clock()
      limit = Math.max(LEAST, Math.floor(limit / 2))
    },
    restart() {
      limit = Math.min(limit, LEAST)
    },
  }
}
