import { getHeapStatistics } from 'node:v8'

/** Bytes. */
export const MEGABYTE = 1_048_576

/** Bytes that the gate needs without sessions, and V8 for short-lived objects. */
const GATE = 64 * MEGABYTE
/** The least bytes for sessions, for a heap that is hardly larger than that. */
const LEAST = 8 * MEGABYTE

/** Bytes that the heap of this process may grow to. `--max-old-space-size` raises it. */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit
}

/**
 * Bytes that sessions may take when the operator does not say: half of the rest of the heap, since garbage
 * takes the other half.
 * @param heap bytes that the heap may grow to
 */
export function defaultSessionMemory(heap: number): number {
  return Math.max(LEAST, Math.floor((heap - GATE) / 2))
}
