import { setImmediate } from 'node:timers/promises'

/** A clock and timers that move only when the test says so. */
export interface PretendTime {
  clock(): number
  /** As `setTimeout`. The result cancels it. */
  after(milliseconds: number, act: () => void): () => void
  /** Lets so many milliseconds pass. Timers fire at their time, and what they started runs. */
  pass(milliseconds: number): Promise<void>
  /** The number of timers that are set. */
  set(): number
}

interface Timer {
  readonly at: number
  readonly act: () => void
}

export function createPretendTime(): PretendTime {
  let now = 0
  const timers = new Set<Timer>()
  return {
    clock: () => now,
    after(milliseconds, act) {
      const timer = { at: now + milliseconds, act }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async pass(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        await setImmediate()
        let next: Timer | undefined
        for (const timer of timers) if (next === undefined || timer.at < next.at) next = timer
        if (next === undefined || next.at > end) break
        timers.delete(next)
        now = next.at
        next.act()
      }
      now = end
    },
    set: () => timers.size,
  }
}
