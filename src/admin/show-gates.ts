import type { Fleet } from '../fleet/fleet.ts'
import type { HeardGate } from '../fleet/roster.ts'

/** The gates that share a store, for the live page and `/readyz`. */
export interface ShownGates {
  /** The name of this gate. */
  readonly name: string
  /** The store that they share cannot be reached: nothing is known of the others now. */
  readonly away: boolean
  /** By name, this one included. */
  readonly all: readonly HeardGate[]
  /** What does not fit between them, one sentence each. */
  readonly misfits: readonly string[]
}

/** @param sessions how many this gate has */
export function createShowGates(
  fleet: Pick<Fleet, 'name' | 'others' | 'misfits' | 'isAway'>,
  version: string,
  sessions: () => number,
): () => ShownGates {
  return () => {
    const own = { name: fleet.name, version, sessions: sessions(), seen: 0 }
    const all = [own, ...fleet.others()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return { name: fleet.name, away: fleet.isAway(), all, misfits: fleet.misfits() }
  }
}
