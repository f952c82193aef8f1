import type { Beat } from './node.ts'

/** The clock of the servers, as this process estimates it. */
export interface ServerTime {
  /** Milliseconds, whole. */
  now(): number
  /** A heartbeat of this server has told its time. */
  learn(beat: Pick<Beat, 'time' | 'at' | 'took'>, node: string): void
  /** This server cannot be used now: from now on another one tells the time. */
  lose(node: string): void
}

/**
 * One server tells the time, as long as it can be used. A heartbeat knows it within half of what it took, so
 * an estimate that lies within that is kept.
 * @param clock monotonic milliseconds
 * @param wall milliseconds of the wall clock, until a server has told the time
 */
export function createServerTime(clock: () => number, wall: () => number): ServerTime {
  let offset = wall() - clock()
  let teller: string | undefined
  return {
    now: () => Math.floor(clock() + offset),
    learn({ time, at, took }, node) {
      const isFirst = teller === undefined
      teller ??= node
      if (teller !== node) return
      const told = time - at
      // The server tells whole milliseconds.
      if (isFirst || Math.abs(told - offset) > took / 2 + 1) offset = told
    },
    lose(node) {
      if (teller === node) teller = undefined
    },
  }
}
