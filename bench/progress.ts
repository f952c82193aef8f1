export interface Progress {
  /** Says what begins now, and how long all of it will take yet. */
  begin(what: string): void
  /** What began is through; it was planned to take so many seconds. */
  done(result: string, planned: number): void
}

/** Tells on stderr what is running. `planned` is the time of all steps, in seconds; what is left is reckoned from how true it was so far. */
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

export const silent: Progress = { begin() {}, done() {} }
