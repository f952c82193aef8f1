import type { SharedStore } from '../../src/state/shared-store.ts'
import { createMemoryPlace } from './memory-store.ts'
import { createSharedPlace } from './shared-place.ts'

/** A store in memory that gates share, as they would share Valkey; without the plays of users. */
export interface SharedRecords {
  /** @param gate its id */
  join(gate: string): SharedStore
}

/** @param clock milliseconds that go on whatever gate runs */
export function createSharedRecords(clock: () => number): SharedRecords {
  const records = createMemoryPlace(clock).create()
  const place = createSharedPlace(clock)
  let opening: Promise<string | undefined> | undefined
  return {
    join: (gate) => ({
      ...records,
      ...place.join(gate),
      open: () => {
        opening ??= records.open()
        return opening
      },
      close: async () => {},
      users: {
        isShared: true,
        isUsable: () => false,
        read: async () => undefined,
        write: async () => undefined,
        now: records.now,
      },
      claimSweep: async () => false,
    }),
  }
}
