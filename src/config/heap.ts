import { getHeapStatistics } from 'node:v8'

export const MEGABYTE = 1_048_576

/** What the gate takes without sessions, and V8 for what comes and goes; bytes. */
const GATE = 64 * MEGABYTE
/** Where the heap is hardly larger than that. */
const LEAST = 8 * MEGABYTE

/** Bytes that the heap of this process may grow to; `--max-old-space-size` raises it. */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit
}

/** Bytes that sessions may hold where the operator does not say: half of what the heap leaves, since garbage takes the other half. */
export function defaultSessionMemory(heap: number): number {
  return Math.max(LEAST, Math.floor((heap - GATE) / 2))
}
