import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Percent that the heap may grow before V8 collects garbage. */
const PART = 20
/** It may always grow by so much, in bytes: with few sessions V8 would else collect many times a second. */
const LEAST = 24_000_000
/** Milliseconds. */
const EVERY = 1_000

/**
 * Limits how far the heap grows before V8 collects garbage. By default V8 lets the garbage grow to several
 * times the memory of the sessions.
 */
export function limitHeapGrowth(): void {
  const limit = (): void => {
    const percent = Math.max(PART, (100 * LEAST) / getHeapStatistics().used_heap_size)
    setFlagsFromString(`--heap-growing-percent=${Math.ceil(percent)}`)
  }
  limit()
  setInterval(limit, EVERY).unref()
}
