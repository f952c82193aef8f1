const TICK = 10

/**
 * Measures how long this process could not run, because of a busy machine or of its own work. Call the result
 * to end the measurement: it returns the lost milliseconds. A test of a deadline adds them to its margin,
 * because what it tests has not caused them.
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
