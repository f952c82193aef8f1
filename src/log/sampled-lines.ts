/** Lines that are written in a second: more of them would be the gate's main work, and fill the disk. */
const SAMPLE = 100
/** Milliseconds. */
const SECOND = 1_000

export interface SampledLines {
  /** Writes a line with these fields, or leaves it out; they are made for the former alone. */
  add(fields: () => object): void
  /** Writes the last line that was left out, if the number of those left out is not told yet. */
  tell(): void
}

/**
 * Lines of one kind, of which a client may cause any number. Each tells in `skipped` how many were left out before it; when none follows, the
 * last one that was left out tells it a second later.
 *
 * @param clock monotonic milliseconds
 */
export function createSampledLines(write: (fields: object) => void, clock: () => number): SampledLines {
  let secondEnds = 0
  let written = 0
  let skipped = 0
  let last: (() => object) | undefined
  let timer: NodeJS.Timeout | undefined

  const writeNow = (fields: () => object): void => {
    write(skipped === 0 ? fields() : { ...fields(), skipped })
    skipped = 0
    last = undefined
  }

  const tell = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (last === undefined) return
    skipped--
    writeNow(last)
  }

  return {
    add(fields) {
      const now = clock()
      if (now >= secondEnds) {
        secondEnds = now + SECOND
        written = 0
      }
      if (written < SAMPLE) {
        written++
        writeNow(fields)
        return
      }
      skipped++
      last = fields
      timer ??= setTimeout(tell, SECOND).unref()
    },
    tell,
  }
}
