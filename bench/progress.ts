/** Reports how far a run is. */
export interface Progress {
  /** A step begins. Prints its name and the time that is left for all. */
  begin(what: string): void
  /** The step ended. @param planned seconds that were planned for it */
  done(result: string, planned: number): void
}

/**
 * Prints the running step on stderr. `planned` is the time of all steps, in seconds. The time left is
 * estimated from how long the steps took so far.
 */
export function createProgress(planned: number): Progress {
  const began = performance.now()
  let through = 0
  const left = (): string => {
    const slowness = through < 20 ? 1 : (performance.now() - began) / 1000 / through
    return `${Math.max(0.1, ((planned - through) * slowness) / 60).toFixed(1)} min left`
  }
  return {
    begin: (what) => void process.stderr.write(`[${left()}] ${what} … `),
    done(result, seconds) {
      through += seconds
      process.stderr.write(`${result}\n`)
    },
  }
}

/** Reports nothing. */
export const silent: Progress = { begin() {}, done() {} }
