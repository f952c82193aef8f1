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
  let timer = setTimeout(() => {
    const late = performance.now() - began - milliseconds
    if (late > PAUSE) timer = setTimeout(act, AFTER_PAUSE)
    else lastTurn = setImmediate(act)
  }, milliseconds)
  return () => {
    clearTimeout(timer)
    clearImmediate(lastTurn)
  }
}

/** What is left of a question's time: only a pause of our own process uses up the time of those behind, who are not silent for it. */
export function timeLeft(milliseconds: number): number {
  return milliseconds > 0 ? milliseconds : AFTER_PAUSE
}
