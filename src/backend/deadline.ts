/** A timer that fires later than this tells of a pause, not of a busy moment; milliseconds. */
const PAUSE = 250
/** What is given after one; milliseconds. */
const AFTER_PAUSE = 200

/**
 * Acts when so many milliseconds are over; the result calls that off.
 *
 * After a pause of our own process a timer fires late, and before the sockets are read. An answer that lies in one still counts, so
 * the sockets get their turn first; what the pause kept from being sent gets a little time of its own.
 */
export function startDeadline(milliseconds: number, act: () => void): () => void {
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
 * What a question gets of the time that is left, in milliseconds. Only a pause of our own process leaves less than the `share` that it
 * was meant to have, and whoever is asked then is not silent for it.
 */
export function timeLeft(left: number, share: number): number {
  return Math.max(left, Math.min(share, AFTER_PAUSE))
}
