/** The most lines in a second. More would take most of the gate's time, and fill the disk. */
const SAMPLE = 100
/** Milliseconds. */
const SECOND = 1_000

/** Lines of one kind, of which only a sample is written. */
export interface SampledLines {
  /**
   * Writes a line with these fields, or leaves it out. `fields` is called only for a line that is written,
   * and for the last one that is left out.
   */
  add(fields: () => object): void
  /** Writes the last line that was left out, if no line has said yet how many were. */
  tell(): void
}

/**
 * Lines of one kind, of which a client can cause any number. The field `skipped` of a line says how many were
 * left out before it. When no line follows, the last one that was left out is written a second later.
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
