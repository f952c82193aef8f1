import { Writable } from 'node:stream'
import type { LogLine } from './log-line.ts'

/** The most bytes that may wait for their reader. */
const MAX_WAITING = 1_048_576

/** A stream that drops lines instead of growing. */
interface LogStream extends Writable {
  /** Lines that were dropped since the start. */
  linesDropped(): number
}

/**
 * Protects the service from a log reader that has stalled: above a bound lines are dropped. Their number is
 * logged as soon as there is room again. `target` must write asynchronously; `process.stdout` does not when
 * it is a pipe.
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
  const write = (line: string): boolean => {
    if (target.writableLength > MAX_WAITING || !target.writable) {
      dropped++
      droppedInAll++
      return false
    }
    tellDropped()
    return target.write(line)
  }
  // `target` has a queue already. A second one would cost as much as building the line.
  return Object.assign(new Writable(), { write, linesDropped: () => droppedInAll })
}
