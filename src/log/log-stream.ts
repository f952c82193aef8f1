import { Writable } from 'node:stream'
import type { LogLine } from './log-line.ts'

/** Bytes that wait for their reader at most. */
const MAX_WAITING = 1_048_576

export interface LogStream extends Writable {
  /** Lines that were dropped since the start. */
  linesDropped(): number
}

/**
 * Keeps a log reader that has stalled from taking the service with it: past a bound lines are dropped, and their number is written as
 * soon as there is room again. `target` must write asynchronously; `process.stdout` does not where it is a pipe.
 */
export function createLogStream(target: Writable, line: LogLine): LogStream {
  let dropped = 0
  let droppedInAll = 0
  const tellDropped = (): void => {
    if (dropped === 0) return
    target.write(`${line('warn', 'log lines dropped', { lines: dropped })}\n`)
    dropped = 0
  }
  target.on('drain', tellDropped)
  // A reader that has gone away is no reason to stop.
  target.on('error', () => {})
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (target.writableLength > MAX_WAITING || !target.writable) {
        dropped++
        droppedInAll++
      } else {
        tellDropped()
        target.write(line)
      }
      done()
    },
  })
  return Object.assign(stream, { linesDropped: () => droppedInAll })
}
