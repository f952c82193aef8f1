import { write } from 'node:fs'
import { constants } from 'node:os'
import { Writable } from 'node:stream'

/**
 * Lines are gathered so long, in milliseconds: the end of a write wakes this process, whatever was written.
 */
const GATHERED_FOR = 10
/** Milliseconds until a full pipe or a full disk is tried again. */
const RETRY_AFTER = 50
/**
 * Errors that pass: a full pipe, a full disk, a quota, the largest size of a file. By number, because libuv
 * has no name for EDQUOT.
 */
const { EAGAIN, ENOSPC, EDQUOT, EFBIG } = constants.errno
const PASSING = new Set([EAGAIN, ENOSPC, EDQUOT, EFBIG])

/**
 * Writes lines to a file descriptor without blocking this process: those of ten milliseconds at once. It
 * waits while the reader is slow or the disk is full. `process.stdout` would block. A file stream would end
 * for good at the first `EAGAIN` of a pipe that a library has made non-blocking, and at the first moment
 * without room on the disk.
 */
export function createLogOutput(fd: number): Writable {
  const writeAll = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    write(fd, bytes, (error, written) => {
      if (PASSING.has(-(error?.errno ?? 0))) setTimeout(writeAll, RETRY_AFTER, bytes, done)
      else if (error !== null) done(error)
      else if (written < bytes.length) writeAll(bytes.subarray(written), done)
      else done()
    })
  }
  const output = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => writeAll(Buffer.from(text), done),
    writev: (chunks, done) => writeAll(Buffer.from(chunks.map(({ chunk }) => chunk).join('')), done),
  })
  const writeGathered = (): void => output.uncork()
  return Object.assign(output, {
    write(...given: Parameters<Writable['write']>) {
      if (output.writableCorked === 0) {
        output.cork()
        setTimeout(writeGathered, GATHERED_FOR)
      }
      return Writable.prototype.write.apply(output, given)
    },
  })
}
