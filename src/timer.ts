/** If a timer fires later than this, our process was paused, not just busy; milliseconds. */
const PAUSE = 250
/** Extra time after a pause; milliseconds. */
const AFTER_PAUSE = 200

/** Calls `act` after so many milliseconds; the result cancels it. */
export type After = (milliseconds: number, act: () => void) => () => void

/**
 * After a pause of our own process a timer fires late, and before the sockets are read. An answer that has
 * already arrived still counts, so the sockets are read first. Questions that the pause delayed get a little
 * extra time.
 */
export const startTimer: After = (milliseconds, act) => {
  const began = performance.now()
  let lastTurn: NodeJS.Immediate | undefined
  const actAfterSockets = (): void => {
    lastTurn = setImmediate(act)
  }
  let timer = setTimeout(() => {
    const late = performance.now() - began - milliseconds
    if (late > PAUSE) timer = setTimeout(actAfterSockets, AFTER_PAUSE)
    else actAfterSockets()
  }, milliseconds)
  return () => {
    clearTimeout(timer)
    clearImmediate(lastTurn)
  }
}

/**
 * The time that a question gets, in milliseconds: what is `left`, but after a pause of our own process at
 * least a little of its `share`. The pause must not count as a timeout of the backend.
 */
export function timeLeft(left: number, share: number): number {
  return Math.max(left, Math.min(share, AFTER_PAUSE))
}
