import type { Calls } from './calls.ts'
import type { Engine } from './level-engine.ts'

/** How long a call may take, in milliseconds. */
export interface Deadlines {
  readonly read: number
  /** A removal waits until it is on the disk. */
  readonly write: number
  readonly open: number
}

export const defaultDeadlines: Deadlines = { read: 100, write: 2_000, open: 5_000 }

/** An engine whose calls have deadlines. */
export function createBoundedEngine(engine: Engine, calls: Calls, deadlines: Deadlines): Engine {
  return {
    async open() {
      let isGivenUp = false
      const open = async (): Promise<void> => {
        await engine.open()
        // Nobody uses it any more, and it would hold the lock.
        if (isGivenUp) await engine.close()
      }
      try {
        await calls.make(deadlines.open, open)
      } catch (error) {
        isGivenUp = true
        throw error
      }
    },
    getMany: (keys) => calls.make(deadlines.read, () => engine.getMany(keys)),
    batch: (steps, sync) => calls.make(deadlines.write, () => engine.batch(steps, sync)),
    read: (from, most) => calls.make(deadlines.write, () => engine.read(from, most)),
    close: () => calls.makeAnyway(deadlines.open, () => engine.close()),
  }
}
