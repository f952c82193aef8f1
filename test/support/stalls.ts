const TICK = 10

/**
 * Measures how long this process was kept from running, by a busy machine or by itself. Call the result for the milliseconds lost so
 * far; it ends the measurement. A test of a deadline adds them to its margin: they are not the fault of what it tests.
 */
export function watchStalls(): () => number {
  let lost = 0
  let last = performance.now()
  const note = (): void => {
    const now = performance.now()
    lost += Math.max(0, now - last - TICK)
    last = now
  }
  const timer = setInterval(note, TICK).unref()
  return () => {
    clearInterval(timer)
    note()
    return lost
  }
}
