import { startDeadline } from './deadline.ts'

export interface BulkheadOptions {
  /** Questions in flight at most. */
  readonly concurrency: number
  /** Questions waiting at most. */
  readonly queue: number
}

/** Gives the place back; calling it again does nothing. */
export type Release = () => void

export interface Bulkhead {
  /** A place at once, after a wait of at most `patience` milliseconds, or undefined: no room. */
  enter(patience: number): Promise<Release | undefined> | Release | undefined
  inFlight(): number
  /** Whether `enter` would find neither a place nor room to wait for one. */
  isFull(): boolean
  waiting(): number
}

interface Waiter {
  readonly seat: (release: Release | undefined) => void
  readonly callOff: () => void
}

/** Bounds what one backend can be asked at once, in number and in waiting time. */
export function createBulkhead({ concurrency, queue }: BulkheadOptions): Bulkhead {
  let taken = 0
  const waiters = new Set<Waiter>()

  const createRelease = (): Release => {
    let held = true
    return () => {
      if (!held) return
      held = false
      const [next] = waiters
      if (next === undefined) {
        taken--
        return
      }
      waiters.delete(next)
      next.callOff()
      next.seat(createRelease())
    }
  }

  return {
    enter(patience) {
      if (taken < concurrency) {
        taken++
        return createRelease()
      }
      if (waiters.size >= queue || patience <= 0) return undefined
      return new Promise((resolve) => {
        const waiter: Waiter = {
          seat: resolve,
          callOff: startDeadline(patience, () => {
            waiters.delete(waiter)
            resolve(undefined)
          }),
        }
        waiters.add(waiter)
      })
    },
    isFull: () => taken >= concurrency && waiters.size >= queue,
    inFlight: () => taken,
    waiting: () => waiters.size,
  }
}
